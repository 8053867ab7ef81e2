"""Query parameters of lists and exports, and their validation."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.api_model import ApiModel, Time
from app.events import cursor
from app.events.cursor import ByTime, Cursor
from app.events.models import FollowAction, SubscriptionAction
from app.events.query import ListQuery
from app.identity.schemas import WeChatId

MAX_PAGE_ROWS = 500


def _readable(text: str) -> str:
    cursor.read(text)
    return text


CursorText = Annotated[
    str,
    AfterValidator(_readable),
    Field(max_length=80),
]


class PersonFilter(ApiModel):
    """Filters that every list has.

    from, until: a half-open range of time, with time zones. The list is then in the order of time,
    and rows that arrive after its first page was read are not part of it.
    """

    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = None
    """Only this account."""
    openid: WeChatId | None = None
    """Only this person at an account."""
    unionid: WeChatId | None = None
    """Only this person at all accounts."""
    scene: WeChatId | None = Field(default=None, description="Value of the parameterised QR code")
    start: Time | None = Field(
        default=None, alias="from", description="Inclusive start, such as 2026-11-24T00:00:00Z"
    )
    until: Time | None = Field(
        default=None, description="Exclusive end, such as 2026-11-25T00:00:00Z"
    )

    @field_validator("until")
    @classmethod
    def _not_before_from(cls, until: datetime | None, others: ValidationInfo) -> datetime | None:
        start: datetime | None = others.data.get("start")
        if start is not None and until is not None and until < start:
            raise ValueError("is before `from`: pass a later time, or an earlier `from`")
        return until

    def kind_filter(self) -> str | bool | None:
        """Return the kind of row to list; None for all."""
        return None

    def list_query(self, limit: int = MAX_PAGE_ROWS, after: Cursor | None = None) -> ListQuery:
        """Return the query for the database."""
        return ListQuery(
            limit,
            after,
            self.appid,
            self.openid,
            self.unionid,
            self.kind_filter(),
            self.scene,
            self.start,
            self.until,
        )


class _Paged(PersonFilter):
    after: CursorText | None = None
    """The `next` of the page before, with the same filters."""
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many rows."""

    @model_validator(mode="after")
    def _check_cursor(self) -> Self:
        by_time = self.start is not None or self.until is not None
        if self.after is not None and isinstance(cursor.read(self.after), ByTime) != by_time:
            raise ValueError("after: pass the same `from` and `until` as for the page before")
        return self

    def page_query(self) -> ListQuery:
        """Return the query for one page."""
        return self.list_query(self.limit, None if self.after is None else cursor.read(self.after))


class FollowEventsOf(PersonFilter):
    """Filters of follow events."""

    kind: FollowAction | None = None
    """Only events of this kind."""

    def kind_filter(self) -> str | None:
        """Return the action to list; None for all."""
        return self.kind


class FollowEventsPage(FollowEventsOf, _Paged):
    """Filters and page of follow events."""


class SubscriptionEventsOf(PersonFilter):
    """Filters of subscription events."""

    kind: SubscriptionAction | None = None
    """Only events of this kind."""
    scene: WeChatId | None = Field(
        default=None, description="PopupScene: 0 mini-program, 1 H5 page, 2 article"
    )

    def kind_filter(self) -> str | None:
        """Return the action to list; None for all."""
        return self.kind


class SubscriptionEventsPage(SubscriptionEventsOf, _Paged):
    """Filters and page of subscription events."""


class FollowersOf(PersonFilter):
    """Filters of followers; from and until are about the latest follow.

    A person who follows again while the list is read in the order of time moves to another place.
    If the old place was not read yet, the person is not part of this reading any more.
    """

    following: bool | None = Field(default=None, description="false: people who have unfollowed")

    def kind_filter(self) -> bool | None:
        """Return the state to list; None for both."""
        return self.following


class FollowersPage(FollowersOf, _Paged):
    """Filters and page of followers."""
