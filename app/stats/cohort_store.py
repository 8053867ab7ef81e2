"""SQL of the cohorts of new followers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.cohorts_sql import AGES
from app.stats.date_range import DateRange

MAX_COHORTS: Final = 100


class CohortBy(StrEnum):
    """What people of a cohort have in common: the week of the follow, or the QR code."""

    WEEK = "week"
    QR_SCENE = "qr_scene"


@dataclass(frozen=True, slots=True)
class CohortCounts:
    """One cohort. label: the Monday of the week, or the scene. last_at: of the latest follow.

    following, wrote, arrived, converted: by age, in the order of AGES, how many people.
    """

    label: str
    size: int
    last_at: datetime
    following: Sequence[int]
    wrote: Sequence[int]
    arrived: Sequence[int]
    converted: Sequence[int]


async def read(
    session: AsyncSession,
    appids: Sequence[str],
    date_range: DateRange,
    by: CohortBy,
    scene: str | None,
) -> tuple[list[CohortCounts], int]:
    """Return the cohorts, and how many there are: by week all, by QR code the largest.

    scene: only people who came by this QR code.
    """
    bound = {
        "appids": list(appids),
        **date_range.parameters,
        "scene": scene,
        "most": MAX_COHORTS,
    }
    rows = (await session.execute(_STATEMENTS[by], bound)).all()
    cohorts = [CohortCounts(_label(row.label), row.size, row.last_at, *row[4:]) for row in rows]
    return cohorts, rows[0].all_cohorts if rows else 0


def _label(label: str | date) -> str:
    return label.isoformat() if isinstance(label, date) else label


def _counts(condition: str) -> str:
    return ", ".join(
        f"count(*) FILTER (WHERE {condition.format(seconds=days * 86_400)})" for days in AGES
    )


_FOLLOWING: Final = "left_after IS NULL OR left_after >= {seconds}"


def _statement(label: str, which: str, order: str) -> str:
    return f"""
        SELECT {label} AS label, count(*) AS size, max(followed_at) AS last_at,
               count(*) OVER () AS all_cohorts, ARRAY[{_counts(_FOLLOWING)}],
               ARRAY[{_counts("wrote_after < {seconds}")}],
               ARRAY[{_counts("arrived_after < {seconds}")}],
               ARRAY[{_counts("converted_after < {seconds}")}]
        FROM cohort_members
        WHERE appid = ANY(CAST(:appids AS text[]))
          AND followed_at >= :earliest AND followed_at < :latest
          AND CAST(followed_at AT TIME ZONE :zone AS date) BETWEEN :since AND :until
          AND {which}
        GROUP BY 1 ORDER BY {order} LIMIT :most
    """  # noqa: S608 - constants of this module


_WEEK: Final = "CAST(date_trunc('week', followed_at AT TIME ZONE :zone) AS date)"
# Rows without a person count by scene alone: the person has a row without the scene.
_OF_SCENE: Final = (
    "CASE WHEN CAST(:scene AS text) IS NULL THEN openid IS NOT NULL ELSE scene = :scene END"
)
_BY_SCENE: Final = "scene IS NOT NULL AND (CAST(:scene AS text) IS NULL OR scene = :scene)"
_STATEMENTS: Final = {
    CohortBy.WEEK: text(_statement(_WEEK, _OF_SCENE, "1")),
    CohortBy.QR_SCENE: text(_statement("scene", _BY_SCENE, 'count(*) DESC, scene COLLATE "C"')),
}
