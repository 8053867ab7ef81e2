"""SQL of the figures of notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.stats.date_range import DateRange

MAX_REASONS: Final = 200


@dataclass(slots=True)
class NoticeDayCounts:
    """The notices of one template that were queued on one day, by status."""

    day: date
    template_id: str
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Why notices of a template did not arrive. status: failed, undelivered or skipped.

    errcode: WeChat's, of a refusal. reason: the words of the report or of the service.
    """

    template_id: str
    status: str
    errcode: int | None
    reason: str
    count: int


async def read(
    session: AsyncSession,
    appids: Sequence[str],
    date_range: DateRange,
    template_id: str | None = None,
) -> list[NoticeDayCounts]:
    """Return the counts by day and template. template_id: only this one; None: all."""
    found = await session.execute(_DAYS, _parameters(appids, date_range, template_id))
    days: dict[tuple[date, str], NoticeDayCounts] = {}
    for row in found:
        key = row.day, row.template_id
        days.setdefault(key, NoticeDayCounts(*key)).counts[row.status] = row.number
    return list(days.values())


async def reasons(
    session: AsyncSession,
    appids: Sequence[str],
    date_range: DateRange,
    template_id: str | None = None,
) -> list[ReasonCount]:
    """Return why notices did not arrive, the most frequent first, at most MAX_REASONS."""
    found = await session.execute(
        _REASONS, {**_parameters(appids, date_range, template_id), "limit": MAX_REASONS}
    )
    return [ReasonCount(*row) for row in found]


def _parameters(
    appids: Sequence[str], date_range: DateRange, template_id: str | None
) -> Mapping[str, object]:
    return {
        "appids": list(appids),
        "zone": date_range.time_zone,
        "earliest": date_range.earliest,
        "latest": date_range.latest,
        "since": date_range.since,
        "until": date_range.until,
        "template_id": template_id,
    }


_OF_DAYS: Final = """
FROM notices
WHERE appid = ANY(CAST(:appids AS text[])) AND created_at >= :earliest AND created_at < :latest
  AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
  AND CAST(created_at AT TIME ZONE :zone AS date) BETWEEN :since AND :until
"""

_DAYS: Final = text(f"""
SELECT CAST(created_at AT TIME ZONE :zone AS date) AS day, template_id, status, count(*) AS number
{_OF_DAYS} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")

_REASONS: Final = text(f"""
SELECT template_id, status, CASE WHEN status = 'failed' THEN errcode END AS code,
       CASE status WHEN 'undelivered' THEN COALESCE(result, '')
                   WHEN 'skipped' THEN COALESCE(errmsg, '')
                   ELSE CASE WHEN errcode IS NULL THEN COALESCE(errmsg, '') ELSE '' END END AS why,
       count(*) AS number
{_OF_DAYS} AND status IN ('failed', 'undelivered', 'skipped')
GROUP BY 1, 2, 3, 4 ORDER BY number DESC, 1, 2, 3, 4 LIMIT :limit
""")
