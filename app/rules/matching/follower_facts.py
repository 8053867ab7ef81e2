"""What the database knows of the follower who is to be answered, as far as rules ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True)
class Facts:
    """One follower at one account.

    following: None if nobody told. followed_at: of the last follow. fired: when each rule with a
    cooldown last answered this follower.
    """

    following: bool | None = None
    followed_at: datetime | None = None
    unionid_known: bool = False
    fired: Mapping[int, datetime] = field(default_factory=dict)

    def until(self, moment: datetime) -> Self:
        """Return what of it was so at `moment`; what came before something later is not known."""
        fired = {rule: at for rule, at in self.fired.items() if at <= moment}
        if self.followed_at is None or self.followed_at <= moment:
            return replace(self, fired=fired)
        return replace(self, fired=fired, following=None, followed_at=None)
