"""Counts what a step of the funnel has of erased people, which no list of the step can show.

An erasure takes the doors of a person to touches of nobody known; see `funnel.erase`. They stay in
the figures, and nothing leads from them to messages and arrivals.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.derive_sql import COUNTED, REACHED
from app.funnel.steps import Basis, Step


@dataclass(frozen=True, slots=True)
class CountedTimes:
    """What a bar of the funnel counts. door: its name in `funnel_touches`.

    since, until: of the time when it began; until is not included. None: without an end, of any
    account.
    """

    step: Step
    door: str
    since: datetime | None = None
    until: datetime | None = None
    appid: str | None = None


async def erased_times(session: AsyncSession, wanted: CountedTimes, basis: Basis) -> int:
    """Return how many of the times belong to erased people. basis: of the windows."""
    bound = {
        "door": wanted.door,
        "since": wanted.since,
        "until": wanted.until,
        "appid": wanted.appid,
        **basis.parameters,
    }
    found: int | None = await session.scalar(_STATEMENTS[wanted.step], bound)
    return found or 0


_STATEMENTS: Final = {
    Step(step): text(f"""
        SELECT count(*) FROM funnel_touches t CROSS JOIN LATERAL ({REACHED}) AS r
        WHERE t.person LIKE 'anonymous:%' AND :door = ANY(t.doors) AND r.{step}
          AND t.at >= COALESCE(CAST(:since AS timestamptz), '-infinity')
          AND t.at < COALESCE(CAST(:until AS timestamptz), 'infinity')
          AND t.appid = COALESCE(CAST(:appid AS text), t.appid)
    """)  # noqa: S608 - constants of this package
    for step in COUNTED
}
