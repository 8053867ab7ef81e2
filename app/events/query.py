"""Plain values: the lists that exist, a query for one of them, and a page of the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import InstrumentedAttribute

from app.events.cursor import Cursor
from app.events.models import Follower, FollowEvent, SubscriptionEvent

Row = TypeVar("Row", FollowEvent, SubscriptionEvent, Follower)


@dataclass(frozen=True, slots=True)
class ListSpec(Generic[Row]):
    """A table that is listed, with the names of the columns for filters and order.

    kinds: all values of the column `kind`. timed_by: column with the id of the follow event that
    set `time`; None if the time of a row never changes.
    """

    table: type[Row]
    kind: str
    kinds: tuple[str, ...] | tuple[bool, ...]
    scene: str
    time: str
    timed_by: str | None = None

    def column(self, name: str, row: type[Row] | None = None) -> InstrumentedAttribute[Any]:
        """Return a column of the table, or of an alias of it."""
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
    """Filters and page of a list; None does not filter.

    start, until: a half-open range of time; if one of them is set, the order is that of time, else
    that of arrival. after: cursor where the page before ended. limit: at most so many rows.
    """

    limit: int
    after: Cursor | None = None
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
    """A page of a list.

    next: cursor of the next page; None on the last one. later: cursor for rows that arrive after
    this page; None in the order of time.
    """

    rows: Sequence[Row]
    next: Cursor | None
    later: Cursor | None
