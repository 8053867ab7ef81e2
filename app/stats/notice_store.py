"""SQL of the figures of notices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.day_starts import DAY, DAY_STARTS, NUMBERED
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
) -> tuple[list[NoticeDayCounts], list[ReasonCount]]:
    """Return the counts by day and template, and why notices did not arrive.

    template_id: only this one; None: all. Of the reasons the most frequent come first, and at most
    MAX_REASONS are returned.
    """
    found = await session.execute(
        _COUNTS,
        {
            "appids": list(appids),
            "zone": date_range.time_zone,
            "earliest": date_range.earliest,
            "latest": date_range.latest,
            "since": date_range.since,
            "until": date_range.until,
            "template_id": template_id,
            "limit": MAX_REASONS,
        },
    )
    days: dict[tuple[date, str], NoticeDayCounts] = {}
    reasons: list[ReasonCount] = []
    for row in found:
        if row.day is None:
            reasons.append(ReasonCount(row.template_id, row.status, row.code, row.why, row.total))
        else:
            key = row.day, row.template_id
            days.setdefault(key, NoticeDayCounts(*key)).counts[row.status] = row.total
    return list(days.values()), reasons


# Every notice of the days is read once: for its day, and for its reason, whose `number` is NULL.
_COUNTS: Final = text(f"""
WITH numbered AS (
    SELECT width_bucket(created_at, {DAY_STARTS}) AS number, template_id, status,
           CASE WHEN status = 'failed' THEN errcode END AS code,
           CASE status WHEN 'undelivered' THEN COALESCE(result, '')
                       WHEN 'skipped' THEN COALESCE(errmsg, '')
                       WHEN 'failed'
                       THEN CASE WHEN errcode IS NULL THEN COALESCE(errmsg, '') ELSE '' END
           END AS why
    FROM notices
    WHERE appid = ANY(CAST(:appids AS text[])) AND created_at >= :earliest AND created_at < :latest
      AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
), counted AS (
    SELECT number, template_id, status, code, why, count(*) AS total
    FROM numbered WHERE {NUMBERED}
    GROUP BY GROUPING SETS ((number, template_id, status), (template_id, status, code, why))
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY number IS NULL ORDER BY total DESC, template_id, status, code, why
    ) AS rank
    FROM counted WHERE number IS NOT NULL OR status IN ('failed', 'undelivered', 'skipped')
)
SELECT {DAY} AS day, template_id, status, code, why, total
FROM ranked WHERE number IS NOT NULL OR rank <= :limit
ORDER BY number, CASE WHEN number IS NULL THEN rank END, template_id, status
""")  # noqa: S608 - constants of this package
