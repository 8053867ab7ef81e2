"""Counts how long accounts usually pause between two pushes, and since when each is silent.

It reads new rows of `callbacks` in the order of their ids, so nothing is added to the way of a
callback. To look at a row twice changes nothing, and so the latest seconds are looked at again: a
batch may commit a little later than one with greater ids. A push that waited in the spool is not
seen; the next one is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.alarms.models import AlarmProgress, AlarmPushDay
from app.db.engine import SessionFactory
from app.first_id import first_id

MAX_ROWS: Final = 100_000
# Transactions of one run. What is left is counted in the next minute.
MAX_ROUNDS: Final = 5
# Longer than a group commit may take, and than clocks of machines may differ unnoticed.
OVERLAP: Final = timedelta(seconds=10)
# What the first run of a new release looks back at.
FIRST_LOOK: Final = timedelta(hours=1)

# A pause is usual within these days. An account whose pauses are known for a week is judged by
# 1.5 times the longest one, at least by an hour.
USUAL_DAYS: Final = 14
KNOWN_AFTER: Final = timedelta(days=7)
MIN_DAYS: Final = 5
MARGIN: Final = 1.5
MIN_MINUTES: Final = 60.0

_LOCK: Final = select(AlarmProgress).where(AlarmProgress.id == 1).with_for_update(skip_locked=True)

# A pause that is longer than what raises an alarm is no usual one, so it is not learned.
_COUNT: Final = text("""
WITH batch AS (
    SELECT id, appid, received_at FROM callbacks WHERE id > :first ORDER BY id LIMIT :most
), usual AS (
    SELECT appid, count(*) AS days, max(longest_pause_seconds) AS longest FROM alarm_push_days
    WHERE day > :since GROUP BY appid
), known AS (
    SELECT p.appid, p.last_at,
           CASE WHEN p.first_at <= :known_since AND u.days >= :min_days
                THEN greatest(:min_seconds, u.longest * :margin) END AS most
    FROM alarm_pushes p LEFT JOIN usual u USING (appid)
), paused AS (
    SELECT b.appid, b.received_at,
           extract(epoch FROM b.received_at - greatest(known.last_at, lag(b.received_at) OVER (
               PARTITION BY b.appid ORDER BY b.received_at
           )))::float8 AS pause,
           known.most
    FROM batch b LEFT JOIN known USING (appid)
), days AS (
    INSERT INTO alarm_push_days AS d (appid, day, longest_pause_seconds)
    SELECT appid, (received_at AT TIME ZONE 'UTC')::date,
           coalesce(max(pause) FILTER (WHERE pause > 0 AND (most IS NULL OR pause <= most)), 0)
    FROM paused GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (appid, day) DO UPDATE SET longest_pause_seconds =
        greatest(d.longest_pause_seconds, excluded.longest_pause_seconds)
), latest AS (
    INSERT INTO alarm_pushes AS p (appid, first_at, last_at)
    SELECT appid, min(received_at), max(received_at) FROM batch GROUP BY 1 ORDER BY 1
    ON CONFLICT (appid) DO UPDATE SET last_at = greatest(p.last_at, excluded.last_at)
)
SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1),
       (SELECT received_at FROM batch ORDER BY id DESC LIMIT 1)
FROM batch
""")

_SILENT: Final = text("""
SELECT p.appid, extract(epoch FROM progress.looked_at - p.last_at)::float8 / 60,
       CASE WHEN p.first_at <= :known_since AND u.days >= :min_days
            THEN greatest(:min_seconds, u.longest * :margin) / 60 END
FROM alarm_progress AS progress CROSS JOIN alarm_pushes AS p
LEFT JOIN (
    SELECT appid, count(*) AS days, max(longest_pause_seconds) AS longest FROM alarm_push_days
    WHERE day > :since GROUP BY appid
) AS u USING (appid)
WHERE p.appid = ANY(CAST(:appids AS text[]))
""")


@dataclass(frozen=True, slots=True)
class Silence:
    """How long an account has not pushed, in minutes.

    usual: what is too long for it, in minutes; None: that is not known yet.
    """

    appid: str
    minutes: float
    usual: float | None


async def count_new(sessions: SessionFactory, now: datetime, most: int = MAX_ROWS) -> None:
    """Count the pushes that have arrived since the last run, in transactions of `most` rows."""
    overlap = OVERLAP
    for _ in range(MAX_ROUNDS):
        async with sessions.begin() as session:
            if not await _count_some(session, now, overlap, most):
                return
        overlap = timedelta()


async def _count_some(session: AsyncSession, now: datetime, overlap: timedelta, most: int) -> bool:
    """Count the next pushes; return whether there are more. Another worker may be at it."""
    progress = await session.scalar(_LOCK)
    if progress is None:
        return False
    first = _first_id(progress.last_id, now, overlap)
    found, last_id, last_at = (
        await session.execute(_COUNT, {**_bound(now), "first": first, "most": most})
    ).one()
    if last_id is not None and (progress.last_id is None or last_id > progress.last_id):
        progress.last_id = last_id
    is_full = bool(found >= most)
    progress.looked_at = last_at if is_full else now
    await session.execute(
        delete(AlarmPushDay).where(AlarmPushDay.day < (now - timedelta(days=2 * USUAL_DAYS)).date())
    )
    return is_full


async def read(session: AsyncSession, appids: list[str], now: datetime) -> list[Silence]:
    """Return how long these accounts are silent; those that have never pushed are left out."""
    found = await session.execute(_SILENT, {**_bound(now), "appids": appids})
    return [Silence(*row) for row in found]


def _bound(now: datetime) -> dict[str, object]:
    return {
        "since": (now - timedelta(days=USUAL_DAYS)).date(),
        "known_since": now - KNOWN_AFTER,
        "min_days": MIN_DAYS,
        "min_seconds": MIN_MINUTES * 60,
        "margin": MARGIN,
    }


def _first_id(last_id: UUID | None, now: datetime, overlap: timedelta) -> UUID:
    if last_id is None:
        return first_id(now - FIRST_LOOK)
    milliseconds = int(overlap.total_seconds() * 1000)
    return UUID(int=max(0, last_id.int - (milliseconds << 80)))
