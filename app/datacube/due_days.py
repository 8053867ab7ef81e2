"""Which days are to be counted now, and counts them one after the other."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.datacube import day_store
from app.datacube.day_store import Day
from app.datacube.days import backfilled, end_of
from app.db.engine import SessionFactory

# What comes late is counted the second and the third time.
COUNTED_AFTER: Final = (timedelta(minutes=10), timedelta(hours=9), timedelta(days=2))

CountDay = Callable[[AsyncSession, Sequence[str], date, datetime], Awaitable[None]]


async def count_due_days(
    sessions: SessionFactory,
    kind: type[Day],
    appids: Sequence[str],
    now: datetime,
    count_day: CountDay,
) -> None:
    """Count the days of these accounts that are due, the oldest first; delete those long over.

    Each day has a transaction of its own. Two at once count the same, and write the same.
    """
    if not appids:
        return
    days = backfilled(now)
    async with sessions.begin() as session:
        known = await day_store.counted_at(session, kind, appids, days[0])
    for day in days:
        if is_due(day, known.get(day), now):
            async with sessions.begin() as session:
                await count_day(session, appids, day, now)
    async with sessions.begin() as session:
        await day_store.prune(session, kind, now)


def is_due(day: date, counted_at: datetime | None, now: datetime) -> bool:
    """Return whether a day is to be counted now. counted_at: None if an account is not counted."""
    due = [at for after in COUNTED_AFTER if (at := end_of(day) + after) <= now]
    return bool(due) and (counted_at is None or counted_at < due[-1])
