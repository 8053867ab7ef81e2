"""Days as WeChat counts them, in Shanghai. Pure. Source: linkage 10.1."""

from datetime import date, datetime, time, timedelta
from typing import Final

from app.clock import SHANGHAI

# WeChat gives more, but before the service ran there is nothing to compare with.
BACKFILL_DAYS: Final = 30
KEPT_DAYS: Final = 400
READY_AT: Final = time(8)


def day_of(moment: datetime) -> date:
    """Return the day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def yesterday(now: datetime) -> date:
    """Return the newest day that is over."""
    return day_of(now) - timedelta(days=1)


def start_of(day: date) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), SHANGHAI)


def end_of(day: date) -> datetime:
    """Return when a day ends."""
    return start_of(day + timedelta(days=1))


def ready_at(day: date) -> datetime:
    """Return from when on WeChat can be asked about a day."""
    return datetime.combine(day + timedelta(days=1), READY_AT, SHANGHAI)


def backfilled(now: datetime) -> list[date]:
    """Return the days that are asked about and counted, the oldest first."""
    last = yesterday(now)
    return [last - timedelta(days=number) for number in reversed(range(BACKFILL_DAYS))]
