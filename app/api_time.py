"""The times that requests name."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

# Postgres can store these times, and Python can reckon with them, in any time zone.
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)


def _in_range(time: datetime) -> datetime:
    if not FIRST <= time < LAST:
        raise ValueError("must be a time from 1970 to 9998")
    return time


def _day_in_range(day: date) -> date:
    # A day of any time zone begins and ends within a day of the same day in UTC.
    if not FIRST.date() < day < LAST.date():
        raise ValueError("must be a day from 1970-01-02 to 9998-12-31")
    return day


Time = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""A time with its time zone, for whatever is compared with a time of the database."""

Day = Annotated[date, AfterValidator(_day_in_range)]
"""A day, of which a time zone makes times."""
