"""SQL of the subscription figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
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
        SUBSCRIPTIONS,
        {
            "appids": list(appids),
            "zone": date_range.time_zone,
            "earliest": date_range.earliest,
            "latest": date_range.latest,
            "since": date_range.since,
            "until": date_range.until,
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


# Of the templates those with the most events are returned, in the order of the ids. The number of
# all of them stands in each row.
SUBSCRIPTIONS = text(
    f"""
    WITH counted AS (
    SELECT {DAY} AS day, template_id, count(*) AS events,
           count(*) FILTER (WHERE action = 'popup' AND status = 'accept') AS accepted,
           count(*) FILTER (WHERE action = 'popup' AND status = 'reject') AS rejected,
           count(*) FILTER (WHERE action = 'popup' AND status = 'ban') AS banned,
           count(*) FILTER (WHERE action = 'change' AND status IN ('reject', 'ban')) AS withdrawn,
           count(*) FILTER (WHERE action = 'change' AND status = 'accept') AS restored,
           count(*) FILTER (WHERE action = 'sent' AND error_code = '0') AS delivered,
           count(*) FILTER (WHERE action = 'sent' AND error_code IS DISTINCT FROM '0') AS failed
    FROM (
        SELECT width_bucket(occurred_at, {DAY_STARTS}) AS number,
               template_id, action, status, error_code
        FROM subscription_events
        WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('popup', 'change', 'sent')
          AND occurred_at >= :earliest AND occurred_at < :latest
          AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
    ) AS event
    WHERE {NUMBERED}
    GROUP BY GROUPING SETS ((number), (template_id))
    ), ranked AS (
        SELECT *, row_number() OVER (
                   PARTITION BY day IS NULL ORDER BY events DESC, template_id COLLATE "C"
               ) AS rank,
               count(template_id) OVER () AS all_templates
        FROM counted
    )
    SELECT day, template_id, accepted, rejected, banned, withdrawn, restored, delivered, failed,
           all_templates
    FROM ranked WHERE day IS NOT NULL OR rank <= :most
    """  # noqa: S608 - constants of this package
)
