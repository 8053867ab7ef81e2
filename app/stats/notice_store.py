"""SQL of the figures of notices: from their counts by day, or from the notices themselves.

The counts are those of days of UTC+8. Of other days, the notices are read one by one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import TextClause, text
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


@dataclass(frozen=True, slots=True)
class NoticeTotals:
    """The notices of some days by status: of each day, and of each template."""

    days: dict[date, Counter[str]]
    templates: dict[str, Counter[str]]
    reasons: list[ReasonCount]


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
    from_where = FROM_COUNTS if date_range.has_counted_days else FROM_NOTICES
    found = await session.execute(from_where, _parameters(appids, date_range, template_id))
    days: dict[tuple[date, str], NoticeDayCounts] = {}
    reasons: list[ReasonCount] = []
    for day, template, status, code, why, total in found:
        if why is None:
            key = day, template
            days.setdefault(key, NoticeDayCounts(*key)).counts[status] = total
        else:
            reasons.append(ReasonCount(template, status, code, why, total))
    return list(days.values()), reasons


async def read_totals(
    session: AsyncSession, appids: Sequence[str], date_range: DateRange
) -> NoticeTotals:
    """Return the counts of each day and those of each template, and why notices did not arrive."""
    from_where = TOTALS_FROM_COUNTS if date_range.has_counted_days else TOTALS_FROM_NOTICES
    found = NoticeTotals({}, {}, [])
    for day, template, status, code, why, total in await session.execute(
        from_where, _parameters(appids, date_range, None)
    ):
        if why is not None:
            found.reasons.append(ReasonCount(template, status, code, why, total))
        elif day is None:
            found.templates.setdefault(template, Counter())[status] = total
        else:
            found.days.setdefault(day, Counter())[status] = total
    return found


def _parameters(
    appids: Sequence[str], date_range: DateRange, template_id: str | None
) -> dict[str, Any]:
    return {
        "appids": list(appids),
        **date_range.parameters,
        "template_id": template_id,
        "limit": MAX_REASONS,
    }


_COUNTS: Final = """
    SELECT day, template_id, status, errcode AS code, reason AS why, count FROM notice_day_counts
    WHERE appid = ANY(CAST(:appids AS text[])) AND day BETWEEN :since AND :until
      AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
"""
_NOTICES: Final = f"""
    SELECT {DAY} AS day, template_id, status, code, why, 1 AS count FROM (
        SELECT width_bucket(created_at, {DAY_STARTS}) AS number, template_id, status,
               CASE WHEN status = 'failed' THEN errcode END AS code,
               oa_bridge_notice_reason(status, errcode, errmsg, result) AS why
        FROM notices
        WHERE appid = ANY(CAST(:appids AS text[]))
          AND created_at >= :earliest AND created_at < :latest
          AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
    ) AS numbered WHERE {NUMBERED}
"""  # noqa: S608 - constants of this package
_BY_DAY_AND_TEMPLATE: Final = "(day, template_id, status)"
_BY_EITHER: Final = "(day, status), (template_id, status)"


def _figures(source: str, groups: str) -> TextClause:
    """Return the statement. Reasons have a `why`; what is counted by group has none."""
    return text(f"""
WITH each AS ({source}), counted AS (
    SELECT day, template_id, status, code, why, CAST(sum(count) AS bigint) AS total
    FROM each GROUP BY GROUPING SETS ({groups}, (template_id, status, code, why))
    HAVING sum(count) <> 0
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY why IS NULL ORDER BY total DESC, template_id, status, code, why
    ) AS rank
    FROM counted WHERE why IS NULL OR status IN ('failed', 'undelivered', 'skipped')
)
SELECT day, template_id, status, code, why, total
FROM ranked WHERE why IS NULL OR rank <= :limit
ORDER BY day, CASE WHEN why IS NOT NULL THEN rank END, template_id, status
""")  # noqa: S608 - constants of this package


FROM_COUNTS: Final = _figures(_COUNTS, _BY_DAY_AND_TEMPLATE)
FROM_NOTICES: Final = _figures(_NOTICES, _BY_DAY_AND_TEMPLATE)
TOTALS_FROM_COUNTS: Final = _figures(_COUNTS, _BY_EITHER)
TOTALS_FROM_NOTICES: Final = _figures(_NOTICES, _BY_EITHER)
