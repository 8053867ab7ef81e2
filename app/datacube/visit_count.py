"""Counts the launches that mini-programs report, by days in Shanghai.

A day is counted when its pushes are, and twice again for reports that came later.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.datacube.count import SLACK, is_due
from app.datacube.days import KEPT_DAYS, backfilled, day_of, end_of, start_of
from app.datacube.models import VisitDay
from app.db.engine import SessionFactory
from app.first_id import first_id
from app.settings import Settings

# What a backend could not deliver it sends again; after this it is counted as an arrival alone.
MAX_LATE: Final = timedelta(days=2)


def counted_mini_programs(settings: Settings) -> list[str]:
    """Return the AppIDs of the mini-programs whose figures WeChat can be asked for."""
    return [
        one.appid
        for one in settings.accounts.values()
        if one.kind == "mini_program" and one.appsecret is not None
    ]


async def count_due(sessions: SessionFactory, clock: Clock, settings: Settings) -> None:
    """Count the days that are due, the oldest first; delete those that are long over.

    Two at once count the same, and write the same.
    """
    appids, now = counted_mini_programs(settings), clock.now()
    if not appids:
        return
    days = backfilled(now)
    async with sessions.begin() as session:
        known = await _counted_at(session, appids, days[0])
    for day in days:
        if is_due(day, known.get(day), now):
            async with sessions.begin() as session:
                await _count_day(session, appids, day, now)
    async with sessions.begin() as session:
        first = day_of(now) - timedelta(days=KEPT_DAYS)
        await session.execute(delete(VisitDay).where(VisitDay.day < first))


async def read(
    session: AsyncSession, appids: Sequence[str], since: date, until: date
) -> Sequence[VisitDay]:
    """Return the days that are counted and on which launches were reported, in their order."""
    found = await session.scalars(
        select(VisitDay)
        .where(
            VisitDay.appid.in_(appids),
            VisitDay.day >= since,
            VisitDay.day <= until,
            VisitDay.launches > 0,
        )
        .order_by(VisitDay.appid, VisitDay.day)
    )
    return found.all()


async def _counted_at(
    session: AsyncSession, appids: Sequence[str], since: date
) -> Mapping[date, datetime]:
    found = await session.execute(
        select(VisitDay.day, func.min(VisitDay.counted_at).label("at"))
        .where(VisitDay.appid.in_(appids), VisitDay.day >= since)
        .group_by(VisitDay.day)
        .having(func.count() == len(appids))
    )
    return {row.day: row.at for row in found}


async def _count_day(
    session: AsyncSession, appids: Sequence[str], day: date, now: datetime
) -> None:
    start, end = start_of(day), end_of(day)
    rows = await session.execute(
        _LAUNCHES,
        {
            "appids": list(appids),
            "start": start,
            "end": end,
            "lower": first_id(start - SLACK),
            "upper": first_id(end + MAX_LATE),
        },
    )
    counted = {row.appid: (row.launches, row.people) for row in rows}
    new = insert(VisitDay).values(
        [
            {
                "appid": appid,
                "day": day,
                "launches": counted.get(appid, (0, 0))[0],
                "people": counted.get(appid, (0, 0))[1],
                "counted_at": now,
            }
            for appid in sorted(appids)
        ]
    )
    # A figure that an erasure lowers meanwhile keeps its greater value.
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["appid", "day"],
            set_={
                "launches": func.greatest(VisitDay.launches, new.excluded.launches),
                "people": func.greatest(VisitDay.people, new.excluded.people),
                "counted_at": new.excluded.counted_at,
            },
        )
    )


_LAUNCHES: Final = text("""
SELECT appid, count(*) AS launches, count(DISTINCT COALESCE(openid, unionid)) AS people
FROM arrivals
WHERE id >= :lower AND id < :upper AND at >= :start AND at < :end AND kind = 'launch'
  AND appid = ANY(CAST(:appids AS text[]))
GROUP BY appid
""")
