"""SQL of the subscription figures: from the counts by day, or from the events themselves.

The counts are those of days of UTC+8. Of other days, the events are read one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.day_starts import DAY, DAY_STARTS, NUMBERED
from app.stats.date_range import DateRange

MAX_TEMPLATES: Final = 1_000


@dataclass(frozen=True, slots=True)
class SubscriptionCounts:
    """The counts of one day or of one template; the other field is None."""

    day: date | None
    template_id: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SubscriptionRows:
    """The counts by day and by template. all_templates: how many there are, listed or not."""

    counted: Sequence[SubscriptionCounts]
    all_templates: int


async def read(
    session: AsyncSession,
    appids: Sequence[str],
    date_range: DateRange,
    template_id: str | None = None,
) -> SubscriptionRows:
    """Return the counts by day and by template. template_id: only this one; None: all.

    Of the templates at most MAX_TEMPLATES are returned, those with the most events.
    """
    found = await session.execute(
        FROM_COUNTS if date_range.has_counted_days else FROM_EVENTS,
        {
            "appids": list(appids),
            **date_range.parameters,
            "template_id": template_id,
            "most": MAX_TEMPLATES,
        },
    )
    counted, all_templates = [], 0
    for row in found.mappings():
        counts = dict(row)
        all_templates = counts.pop("all_templates")
        counted.append(SubscriptionCounts(counts.pop("day"), counts.pop("template_id"), counts))
    return SubscriptionRows(counted, all_templates)


MEASURES: Final = (
    "accepted",
    "rejected",
    "banned",
    "withdrawn",
    "restored",
    "delivered",
    "failed",
)
_SUMS: Final = ", ".join(
    f"CAST(COALESCE(sum(count) FILTER (WHERE measure = '{name}'), 0) AS bigint) AS {name}"
    for name in MEASURES
)

# Of the templates those with the most events are returned, in the order of the ids. The number of
# all of them stands in each row.
_FIGURES: Final = """
WITH counted AS (
    SELECT day, template_id, sum(count) AS events, {sums}
    FROM ({source}) AS event
    GROUP BY GROUPING SETS ((day), (template_id)) HAVING sum(count) <> 0
), ranked AS (
    SELECT *, row_number() OVER (
               PARTITION BY day IS NULL ORDER BY events DESC, template_id COLLATE "C"
           ) AS rank,
           count(template_id) OVER () AS all_templates
    FROM counted
)
SELECT day, template_id, {measures}, all_templates
FROM ranked WHERE day IS NOT NULL OR rank <= :most
ORDER BY day, template_id COLLATE "C"
"""


def _figures(source: str) -> TextClause:
    return text(_FIGURES.format(source=source, sums=_SUMS, measures=", ".join(MEASURES)))


FROM_COUNTS: Final = _figures("""
    SELECT day, template_id, measure, count FROM subscription_day_counts
    WHERE appid = ANY(CAST(:appids AS text[])) AND day BETWEEN :since AND :until
      AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
""")

FROM_EVENTS: Final = _figures(f"""
    SELECT {DAY} AS day, template_id, measure, count FROM (
        SELECT width_bucket(occurred_at, {DAY_STARTS}) AS number, template_id,
               oa_bridge_subscription_measure(action, status, error_code) AS measure,
               1 AS count
        FROM subscription_events
        WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('popup', 'change', 'sent')
          AND occurred_at >= :earliest AND occurred_at < :latest
          AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
    ) AS each WHERE {NUMBERED}
""")  # noqa: S608 - constants of this package
