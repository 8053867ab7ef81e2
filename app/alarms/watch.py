"""The schedule `alarms.watch`: compares figures with thresholds, begins and ends alarms."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import metrics
from app.alarms import push_pauses, threshold_store
from app.alarms.dispatch import dispatch
from app.alarms.figures import FIGURES, Figure, Watched
from app.alarms.kinds import AlarmKind
from app.alarms.models import AlarmProgress
from app.alarms.threshold_store import Thresholds
from app.clock import Clock
from app.db.engine import SessionFactory
from app.ops.database_state import DATABASE_ERRORS
from app.settings import Settings

# An alarm ends once its figure has been below the threshold for so long, so that a figure near it
# does not begin and end an alarm every minute.
ENDS_AFTER: Final = timedelta(minutes=5)
READ_SECONDS: Final = 10.0
MAX_REACHED: Final = 500

log = structlog.get_logger(__name__)

_BEGIN: Final = text("""
INSERT INTO alarms AS a (id, kind, appid, subject, value, threshold, began_at, seen_at)
SELECT id, kind, appid, subject, value, threshold, :now, :now
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:appids AS text[]),
    CAST(:subjects AS text[]), CAST(:values AS float8[]), CAST(:thresholds AS float8[])
) AS reached (id, kind, appid, subject, value, threshold)
ON CONFLICT (kind, appid, subject) WHERE ended_at IS NULL
DO UPDATE SET value = excluded.value, threshold = excluded.threshold,
              seen_at = greatest(a.seen_at, excluded.seen_at)
RETURNING kind, appid, subject, began_at = :now
""")

_END: Final = text("""
UPDATE alarms SET ended_at = :now
WHERE ended_at IS NULL AND seen_at <= :before AND kind = ANY(CAST(:kinds AS text[]))
RETURNING kind, appid, subject
""")

_ONE_AT_A_TIME: Final = select(AlarmProgress.id).where(AlarmProgress.id == 1).with_for_update()


@dataclass(frozen=True, slots=True)
class Reached:
    """A figure that has reached its threshold."""

    kind: AlarmKind
    figure: Figure
    threshold: float


async def watch(sessions: SessionFactory, clock: Clock, settings: Settings) -> None:
    """Begin and end alarms, and enqueue a job for each receiver who is to be told something."""
    await evaluate(sessions, clock, settings)
    await dispatch(sessions, clock)


async def evaluate(sessions: SessionFactory, clock: Clock, settings: Settings) -> None:
    """Begin and end alarms. Of a kind whose figures can't be read, nothing begins or ends."""
    watched = Watched(
        [one.appid for one in settings.accounts.values() if one.kind == "oa"], clock.now()
    )
    await push_pauses.count_new(sessions, watched.now)
    async with sessions() as session:
        thresholds = await threshold_store.read(session)
    read = {kind: await _read(sessions, kind, watched) for kind in FIGURES}
    known = {kind: figures for kind, figures in read.items() if figures is not None}
    async with sessions.begin() as session:
        await apply(session, reached(known, thresholds), list(known), watched.now)


def reached(figures: Mapping[AlarmKind, Sequence[Figure]], thresholds: Thresholds) -> list[Reached]:
    """Return the figures that have reached their threshold. Pure."""
    found = []
    for kind, several in figures.items():
        for figure in several:
            limit = thresholds.limit(kind, figure.appid, figure.usual)
            if limit is not None and figure.value >= limit:
                found.append(Reached(kind, figure, limit))
    return found[:MAX_REACHED]


async def apply(
    session: AsyncSession, found: Sequence[Reached], kinds: Sequence[AlarmKind], now: datetime
) -> None:
    """Begin alarms of what is reached, and end those of these kinds that are over."""
    await session.execute(_ONE_AT_A_TIME)
    if found:
        for kind, appid, subject, is_new in await session.execute(_BEGIN, _columns(found, now)):
            if is_new:
                metrics.ALARMS.labels(kind).inc()
                log.warning("alarms.began", kind=kind, appid=appid, subject=subject)
    bound = {"now": now, "before": now - ENDS_AFTER, "kinds": [kind.value for kind in kinds]}
    for kind, appid, subject in await session.execute(_END, bound):
        log.info("alarms.ended", kind=kind, appid=appid, subject=subject)


async def _read(sessions: SessionFactory, kind: AlarmKind, watched: Watched) -> list[Figure] | None:
    try:
        async with asyncio.timeout(READ_SECONDS), sessions() as session:
            return await FIGURES[kind](session, watched)
    except DATABASE_ERRORS as error:
        log.warning("alarms.figures_not_read", kind=kind.value, error=type(error).__name__)
        return None


def _columns(found: Sequence[Reached], now: datetime) -> dict[str, object]:
    ordered = sorted(found, key=lambda one: (one.kind, one.figure.appid, one.figure.subject))
    return {
        "now": now,
        "ids": [uuid7() for _ in ordered],
        "kinds": [one.kind.value for one in ordered],
        "appids": [one.figure.appid for one in ordered],
        "subjects": [one.figure.subject for one in ordered],
        "values": [one.figure.value for one in ordered],
        "thresholds": [one.threshold for one in ordered],
    }
