"""The filters of the messages, as they stand in the address."""

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, NaiveDatetime

from app.callback.message_filter import CountedMessages, Fate, MessageFilter, Reached
from app.console.form_values import Blank
from app.funnel.erased_count import CountedTimes
from app.funnel.steps import Basis, Step

_FIRST: Final = datetime(1970, 1, 2)  # noqa: DTZ001 - as the field has it, in the pages' zone
_LAST: Final = datetime(2999, 1, 1)  # noqa: DTZ001

Moment = Annotated[NaiveDatetime, Field(ge=_FIRST, le=_LAST)]
Typed = Annotated[str, Field(max_length=200)]


class MessageFilters(BaseModel):
    """The filters; an empty field does not filter. since, until: in the time zone of the pages.

    reached, door: a step of the funnel and the door; without a door, that of the whole account.
    """

    appid: Blank[Typed] = None
    kind: Blank[Typed] = None
    text: Blank[Typed] = None
    rule: Blank[Annotated[int, Field(ge=1, le=2**63 - 1)]] = None
    fate: Blank[Fate] = None
    since: Blank[Moment] = None
    until: Blank[Moment] = None
    reached: Blank[Reached] = None
    door: Blank[Typed] = None

    def filter(self, basis: Basis) -> MessageFilter:
        """Return what the store filters by. basis: the zone of the pages, and the windows."""
        return MessageFilter(
            self.appid,
            self.kind,
            self.text,
            self.rule,
            self.fate,
            *self._span(basis),
            None if self.reached is None else CountedMessages(self.reached, self.door or "", basis),
        )

    def counted_times(self, basis: Basis) -> CountedTimes | None:
        """Return the bar of the funnel of which the list is; None if it is of something else."""
        others = (self.kind, self.text, self.rule, self.fate)
        if self.reached is None or any(one is not None for one in others):
            return None
        since, until = self._span(basis)
        return CountedTimes(Step(self.reached.value), self.door or "", since, until, self.appid)

    def _span(self, basis: Basis) -> tuple[datetime | None, datetime | None]:
        """Return both ends in the zone of the pages, in which they were typed."""
        zone = ZoneInfo(basis.time_zone)
        return (
            self.since and self.since.replace(tzinfo=zone),
            self.until and self.until.replace(tzinfo=zone),
        )

    def values(self) -> dict[str, str]:
        """Return the fields that filter, as a form or an address has them."""
        names = MessageFilters.model_fields
        values = self.model_dump(mode="json", include=set(names))
        return {name: str(values[name]) for name in names if values[name] is not None}

    def address(self, path: str, **more: object) -> str:
        """Return a path with these filters, and with more fields."""
        query = urlencode(self.values() | {k: v for k, v in more.items() if v is not None})
        return f"{path}?{query}" if query else path


class MessageQuery(MessageFilters):
    """The filters and the page. before: the cursor of the page."""

    before: Blank[UUID] = None
