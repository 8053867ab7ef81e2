"""Counts the launches that mini-programs report, by days in Shanghai.

A day is counted when its pushes are, and twice again for reports that came later.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, func, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.datacube.count import SLACK
from app.datacube.days import end_of, start_of
from app.datacube.due_days import count_due_days
from app.datacube.measures import COMPARED_SCENES
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
    """Count the launches of the days that are due."""
    await count_due_days(
        sessions, VisitDay, counted_mini_programs(settings), clock.now(), _count_day
    )


async def _count_day(
    session: AsyncSession, appids: Sequence[str], day: date, now: datetime
) -> None:
    start, end = start_of(day), end_of(day)
    bound: dict[str, Any] = {
        "appids": list(appids),
        "start": start,
        "end": end,
        "lower": first_id(start - SLACK),
        "upper": first_id(end + MAX_LATE),
    }
    rows = await session.execute(_LAUNCHES, bound)
    counted = {row.appid: (row.launches, row.people) for row in rows}
    scenes: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in await session.execute(_SCENES, {**bound, "scenes": sorted(COMPARED_SCENES)}):
        scenes[row.appid][str(row.scene)] = row.launches
    new = insert(VisitDay).values(
        [
            {
                "appid": appid,
                "day": day,
                "launches": counted.get(appid, (0, 0))[0],
                "people": counted.get(appid, (0, 0))[1],
                "scenes": scenes[appid],
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
                "scenes": case(
                    (
                        or_(
                            VisitDay.scenes.is_(None),
                            VisitDay.launches <= new.excluded.launches,
                        ),
                        new.excluded.scenes,
                    ),
                    else_=VisitDay.scenes,
                ),
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

_SCENES: Final = text("""
SELECT appid, scene, count(*) AS launches
FROM arrivals
WHERE id >= :lower AND id < :upper AND at >= :start AND at < :end AND kind = 'launch'
  AND appid = ANY(CAST(:appids AS text[])) AND scene = ANY(CAST(:scenes AS int[]))
GROUP BY appid, scene
""")
