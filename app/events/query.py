"""What a list is, what it is asked for, and what a page of it is: plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import InstrumentedAttribute

from app.events.cursor import Place
from app.events.models import Follower, FollowEvent, SubscriptionEvent

Row = TypeVar("Row", FollowEvent, SubscriptionEvent, Follower)


@dataclass(frozen=True, slots=True)
class ListSpec(Generic[Row]):
    """A table and what its lists are filtered by, by column name. kinds: all there are.

    timed_by: the column with the id of the follow event that `time` is of; None if a row's time
    never changes.
    """

    table: type[Row]
    kind: str
    kinds: tuple[str, ...] | tuple[bool, ...]
    scene: str
    time: str
    timed_by: str | None = None

    def column(self, name: str, row: type[Row] | None = None) -> InstrumentedAttribute[Any]:
        """Return a column of the table, or of a selection of it."""
        column: InstrumentedAttribute[Any] = getattr(row or self.table, name)
        return column


FOLLOW_EVENTS = ListSpec(
    FollowEvent, "action", ("follow", "unfollow", "scan"), "scene", "occurred_at"
)
SUBSCRIPTION_EVENTS = ListSpec(
    SubscriptionEvent, "action", ("popup", "change", "sent"), "popup_scene", "occurred_at"
)
FOLLOWERS = ListSpec(Follower, "following", (True, False), "scene", "followed_at", "followed_id")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which rows. start, until: a half-open range; with one of them the order is that of time.

    after: where the page before ended; limit: at most.
    """

    limit: int
    after: Place | None = None
    appid: str | None = None
    openid: str | None = None
    unionid: str | None = None
    kind: str | bool | None = None
    scene: str | None = None
    start: datetime | None = None
    until: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether the order is that of time, rather than that of arrival."""
        return self.start is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """next: where the next page starts; None after the last one.

    later: where to ask for what arrives after this page; None in the order of time.
    """

    rows: Sequence[Row]
    next: Place | None
    later: Place | None
