"""What the database knows of the follower who is to be answered, as far as rules ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
