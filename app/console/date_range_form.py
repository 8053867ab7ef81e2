"""The days that a page of figures shows: the fields in the address, and their checks. Pure."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from app.console.form_values import Blank
from app.console.messages import N_
from app.stats.date_range import FIRST_DAY, MAX_DAYS, DateRange

DEFAULT_DAYS: Final = 7
RANGES: Final = (7, 14, 30)


class RangeQuery(BaseModel):
    """Days and account; an empty field does not filter.

    days: so many up to today, unless since or until is there. since, until: the first and the last
    day, both included.
    """

    days: Blank[Literal["7", "14", "30"]] = None
    since: Blank[date] = None
    until: Blank[date] = None
    appid: Blank[str] = Field(default=None, max_length=128)

    def address(self, path: str, **changes: str | None) -> str:
        """Return the path with these fields, some of them changed."""
        values = self.model_dump(mode="json") | changes
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path

    def export_paths(self, path: str, days: DateRange, kinds: type[StrEnum]) -> dict[str, str]:
        """Return the path of each file: of the days that are shown, whatever the address names.

        kinds: what the rows of a file may be, as its parameter `by` says it.
        """
        since, until = days.since.isoformat(), days.until.isoformat()
        return {
            kind.value: self.address(path, days=None, since=since, until=until, by=kind.value)
            for kind in kinds
        }

    def date_range(self, today: date, time_zone: str) -> DateRange:
        """Return the days. Raises BadRange."""
        until = self.until or today
        # Before the first day there may be no day to reckon with.
        length = int(self.days or DEFAULT_DAYS) if until > FIRST_DAY else 1
        since = self.since or until - timedelta(days=length - 1)
        if not FIRST_DAY <= since <= until or until > today:
            raise BadRange(N_("Choose a first day that is not after the last one, up to today."))
        if (until - since).days >= MAX_DAYS:
            raise BadRange(N_("Choose at most 366 days."))
        return DateRange(since, until, time_zone)

    def appids(self, known: list[str]) -> list[str]:
        """Return the accounts that are counted, of those that are configured."""
        return [appid for appid in known if self.appid in (None, appid)]


class BadRange(ValueError):
    """The days can't be shown. The text is a message that says what to choose."""


def before(date_range: DateRange) -> DateRange:
    """Return as many days right before."""
    length = date_range.until - date_range.since + timedelta(days=1)
    until = date_range.since - timedelta(days=1)
    return DateRange(date_range.since - length, until, date_range.time_zone)


def default_range(today: date, time_zone: str) -> DateRange:
    """Return the days of an address without any."""
    return RangeQuery().date_range(today, time_zone)
