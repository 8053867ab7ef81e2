"""Reads the figures that are compared with thresholds: one cheap statement for each kind.

A package with something to watch adds its kind to `kinds.KINDS` and its function to `FIGURES`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.alarms import push_pauses
from app.alarms.kinds import AlarmKind
from app.campaigns.pools import read_pools
from app.datacube import report
from app.doctor.checks.figures import NO_RIGHT
from app.first_id import first_id
from app.ops.database_state import QUEUE_AGES
from app.wechat_client.quota_store import read_uses

HOUR: Final = timedelta(hours=1)
# The doctor writes each finding anew at least so often, even if it has not changed.
FINDING_VALID_FOR: Final = timedelta(minutes=30)
MAX_COUNTED: Final = 10_000
# Checks of the doctor about what has a threshold of its own here.
OWN_THRESHOLD: Final = (
    "last-push",
    "queue",
    "refused-pushes",
    "api-quota",
    "campaign-codes",
    "wechat-figures",
)
# Of a day of which WeChat has counted nothing, or of which more arrived than twice as much.
WHOLE: Final = 100.0

_REFUSALS: Final = text("""
SELECT appid, sum(count)::float8 FROM callback_refusals
WHERE hour >= :since AND appid = ANY(CAST(:appids AS text[])) GROUP BY appid
""")

# The ids begin with the time of the push.
_FAILURES: Final = text("""
SELECT appid, count(*)::float8 FROM (
    SELECT appid FROM replies WHERE status = 'failed' AND id >= :first ORDER BY id LIMIT :most
) AS failed
GROUP BY appid
""")

_FAULTS: Final = text("""
SELECT appid, "check" FROM doctor_findings
WHERE state = 'fault' AND checked_at >= :since AND "check" <> ALL(CAST(:own AS text[]))
ORDER BY appid, "check" LIMIT 500
""")


_REFUSED_FIGURES: Final = text("""
SELECT DISTINCT appid FROM api_problems
WHERE seen_at >= :since AND errcode = :errcode AND starts_with(api, 'datacube/')
""")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, in the unit of its kind. appid, subject: empty if there is none.

    usual: the threshold if none is set, where it differs from one account to the other.
    """

    appid: str
    subject: str
    value: float
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """For which accounts to read figures, and when. appids: Official Accounts."""

    appids: Sequence[str]
    now: datetime


ReadFigures: TypeAlias = Callable[[AsyncSession, Watched], Awaitable[list[Figure]]]


async def _silence(session: AsyncSession, watched: Watched) -> list[Figure]:
    found = await push_pauses.read(session, list(watched.appids), watched.now)
    return [Figure(one.appid, "", one.minutes, one.usual) for one in found]


async def _queue_age(session: AsyncSession, _: Watched) -> list[Figure]:
    # One alarm for the whole queue: if the worker is behind, jobs of all names are.
    ages = [age / 60 for _, age in await session.execute(QUEUE_AGES)]
    return [Figure("", "", max(ages))] if ages else []


async def _refusals(session: AsyncSession, watched: Watched) -> list[Figure]:
    hour = watched.now.replace(minute=0, second=0, microsecond=0)
    bound = {"since": hour - HOUR, "appids": list(watched.appids)}
    return [Figure(appid, "", n) for appid, n in await session.execute(_REFUSALS, bound)]


async def _failures(session: AsyncSession, watched: Watched) -> list[Figure]:
    bound = {"first": first_id(watched.now - HOUR), "most": MAX_COUNTED}
    return [Figure(appid, "", n) for appid, n in await session.execute(_FAILURES, bound)]


async def _quotas(session: AsyncSession, watched: Watched) -> list[Figure]:
    uses = await read_uses(session, watched.appids, watched.now)
    return [Figure(one.appid, one.api, 100 * one.share) for one in uses if one.daily_limit]


async def _low_pools(session: AsyncSession, watched: Watched) -> list[Figure]:
    # Each campaign says how few codes are a reason to warn. Two of one name are one alarm.
    pools = await read_pools(session, watched.now)
    low = {one.name for one in pools if one.is_low or one.is_empty}
    return [Figure("", name, 1) for name in sorted(low)]


async def _differing_figures(session: AsyncSession, watched: Watched) -> list[Figure]:
    # The greatest difference of the days that the doctor judges, too; an account that WeChat gives
    # no figures any more is judged by neither.
    bound = {"since": watched.now - timedelta(days=1), "errcode": NO_RIGHT}
    refused = set(await session.scalars(_REFUSED_FIGURES, bound))
    judged = await report.judged(session, watched.appids, watched.now)
    return [
        Figure(appid, name, max(shares))
        for appid, measures in judged.items()
        if appid not in refused
        for name, pairs in measures.items()
        if (shares := [_percent(pair.difference) for pair in pairs if pair.differs])
    ]


def _percent(difference: float | None) -> float:
    return WHOLE if difference is None else min(WHOLE, 100 * abs(difference))


async def _faults(session: AsyncSession, watched: Watched) -> list[Figure]:
    bound = {"since": watched.now - FINDING_VALID_FOR, "own": list(OWN_THRESHOLD)}
    found = await session.execute(_FAULTS, bound)
    return [Figure(appid, check, 1) for appid, check in found]


FIGURES: Final[Mapping[AlarmKind, ReadFigures]] = {
    AlarmKind.NO_PUSH: _silence,
    AlarmKind.QUEUE_AGE: _queue_age,
    AlarmKind.REFUSALS: _refusals,
    AlarmKind.SEND_FAILURES: _failures,
    AlarmKind.QUOTA: _quotas,
    AlarmKind.CODE_POOL: _low_pools,
    AlarmKind.FIGURES_DIFFER: _differing_figures,
    AlarmKind.DOCTOR: _faults,
}
