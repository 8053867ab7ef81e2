"""Keeps the limits of WeChat for making URL Links and URL Schemes, over all processes together.

Source: protocol 9.4; linkage 5.6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
from app.db.engine import SessionFactory
from app.links.renewal_policy import next_day

MAX_A_DAY: Final = 500_000
MAX_A_SECOND: Final = 100
_SECOND: Final = timedelta(seconds=1)

# One row and one statement: who comes second waits for the row and then sees what the first took.
_TAKE: Final = text("""
INSERT INTO link_quotas AS q (appid, day, in_day, second, in_second)
VALUES (:appid, :day, 1, :second, 1)
ON CONFLICT (appid) DO UPDATE SET
    day = excluded.day,
    in_day = CASE WHEN q.day = excluded.day THEN q.in_day + 1 ELSE 1 END,
    second = excluded.second,
    in_second = CASE WHEN q.second = excluded.second THEN q.in_second + 1 ELSE 1 END,
    paused_until = NULL
WHERE (q.paused_until IS NULL OR q.paused_until <= :now)
    AND (q.day <> excluded.day OR q.in_day < :a_day)
    AND (q.second <> excluded.second OR q.in_second < :a_second)
RETURNING 1
""")
_FREE_AT: Final = text("""
SELECT CASE
    WHEN paused_until > :now THEN paused_until
    WHEN day = :day AND in_day >= :a_day THEN CAST(:tomorrow AS timestamptz)
    ELSE CAST(:next_second AS timestamptz) END
FROM link_quotas WHERE appid = :appid
""")
_PAUSE: Final = text("""
UPDATE link_quotas SET paused_until = :until WHERE appid = :appid
""")


@dataclass(frozen=True, slots=True)
class UsedUp:
    """No link may be made before `until`. for_today: the day's quota is used up."""

    until: datetime
    for_today: bool


async def take(sessions: SessionFactory, appid: str, now: datetime) -> UsedUp | None:
    """Take one call of the quota; return when to ask again if there is none."""
    values = {
        "appid": appid,
        "now": now,
        "day": now.astimezone(SHANGHAI).date(),
        "second": now.replace(microsecond=0),
        "a_day": MAX_A_DAY,
        "a_second": MAX_A_SECOND,
    }
    async with sessions.begin() as session:
        if await session.scalar(_TAKE, values) is not None:
            return None
        return await _used_up(session, values, now)


async def _used_up(session: AsyncSession, values: dict[str, object], now: datetime) -> UsedUp:
    next_second = now.replace(microsecond=0) + _SECOND
    more = {"tomorrow": next_day(now), "next_second": next_second}
    until: datetime = await session.scalar(_FREE_AT, values | more) or next_second
    return UsedUp(until, for_today=until > next_second)


async def pause(session: AsyncSession, appid: str, until: datetime) -> None:
    """Make no more links of a mini-program before `until`: WeChat has said so."""
    await session.execute(_PAUSE, {"appid": appid, "until": until})
