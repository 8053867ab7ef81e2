"""The facts about a follower that conditions depend on, as the database knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one follower at one account.

    following: None if no follow or unfollow was recorded. followed_at: the time of the last follow.
    fired: when each rule with a cooldown last answered this follower, by rule id.
    """

    following: bool | None = None
    followed_at: datetime | None = None
    unionid_known: bool = False
    fired: Mapping[int, datetime] = field(default_factory=dict)

    def until(self, moment: datetime) -> Self:
        """Return the facts as of `moment`; state overwritten by a later follow is unknown."""
        fired = {rule: at for rule, at in self.fired.items() if at <= moment}
        if self.followed_at is None or self.followed_at <= moment:
            return replace(self, fired=fired)
        return replace(self, fired=fired, following=None, followed_at=None)
