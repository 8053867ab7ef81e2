"""What a list may be asked for: query parameters, and how they are refused."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.events import cursor
from app.events.cursor import ByTime, Place
from app.events.models import FollowAction, SubscriptionAction
from app.events.query import ListQuery
from app.identity.schemas import WeChatId

MAX_PAGE_ROWS = 500

# Within what Postgres can hold, in whatever time zone it was written.
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


def _possible(moment: datetime) -> datetime:
    if not _FIRST <= moment < _LAST:
        raise ValueError("give a moment between 1970 and 9998")
    return moment


def _readable(text: str) -> str:
    cursor.read(text)
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_possible)]
Cursor = Annotated[
    str,
    AfterValidator(_readable),
    Field(max_length=80, description="`next` of the page before, with the same filters"),
]


class PersonFilter(BaseModel):
    """Filters that every list has, whatever it lists.

    from, until: a half-open range of time with a time zone; the list is then in the order of
    time, without what arrives after its first page.
    """

    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = None
    openid: WeChatId | None = None
    unionid: WeChatId | None = None
    scene: WeChatId | None = Field(default=None, description="Of the parameterised QR code")
    start: Moment | None = Field(
        default=None, alias="from", description="The first moment, such as 2026-11-24T00:00:00Z"
    )
    until: Moment | None = Field(default=None, description="The first moment not wanted any more")

    @field_validator("until")
    @classmethod
    def _not_before_from(cls, until: datetime | None, others: ValidationInfo) -> datetime | None:
        start: datetime | None = others.data.get("start")
        if start is not None and until is not None and until < start:
            raise ValueError("is before `from`: give a later moment, or an earlier `from`")
        return until

    def kind_wanted(self) -> str | bool | None:
        """Return the kind of row that is asked for; None for all."""
        return None

    def wanted(self, limit: int = MAX_PAGE_ROWS, after: Place | None = None) -> ListQuery:
        """Return the question that is put to the database."""
        return ListQuery(
            limit,
            after,
            self.appid,
            self.openid,
            self.unionid,
            self.kind_wanted(),
            self.scene,
            self.start,
            self.until,
        )


class _Paged(PersonFilter):
    after: Cursor | None = None
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        in_time = self.start is not None or self.until is not None
        if self.after is not None and isinstance(cursor.read(self.after), ByTime) != in_time:
            raise ValueError("after: `next` is good only with the `from` and `until` it came with")
        return self

    def page_wanted(self) -> ListQuery:
        """Return the question that is put to the database for one page."""
        return self.wanted(self.limit, None if self.after is None else cursor.read(self.after))


class FollowEventsOf(PersonFilter):
    """Which follow events."""

    kind: FollowAction | None = None

    def kind_wanted(self) -> str | None:
        """Return the action that is asked for."""
        return self.kind


class FollowEventsPage(FollowEventsOf, _Paged):
    """Which follow events, a page of them."""


class SubscriptionEventsOf(PersonFilter):
    """Which subscription events."""

    kind: SubscriptionAction | None = None
    scene: WeChatId | None = Field(
        default=None, description="Of the popup: 0 mini-program, 1 H5 page, 2 article"
    )

    def kind_wanted(self) -> str | None:
        """Return the action that is asked for."""
        return self.kind


class SubscriptionEventsPage(SubscriptionEventsOf, _Paged):
    """Which subscription events, a page of them."""


class FollowersOf(PersonFilter):
    """Which followers; from and until are about their latest follow.

    Whoever follows again while the list is read in the order of time is at another place then;
    if they were not read yet, they are not of this reading any more, as with any new follow.
    """

    following: bool | None = Field(default=None, description="false: those who left")

    def kind_wanted(self) -> bool | None:
        """Return the state that is asked for."""
        return self.following


class FollowersPage(FollowersOf, _Paged):
    """Which followers, a page of them."""
