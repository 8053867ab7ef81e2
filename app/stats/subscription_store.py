"""SQL of the subscription figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.stats.date_range import DateRange


@dataclass(frozen=True, slots=True)
class SubscriptionCounts:
    """The counts of one day or of one template; the other field is None."""

    day: date | None
    template_id: str | None
    counts: Mapping[str, int]


async def read(
    session: AsyncSession,
    appids: Sequence[str],
    date_range: DateRange,
    template_id: str | None = None,
) -> list[SubscriptionCounts]:
    """Return the counts by day and by template. template_id: only this one; None: all."""
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
        },
    )
    counted = []
    for row in found.mappings():
        counts = dict(row)
        counted.append(SubscriptionCounts(counts.pop("day"), counts.pop("template_id"), counts))
    return counted


SUBSCRIPTIONS = text(
    """
    SELECT day, template_id,
           count(*) FILTER (WHERE action = 'popup' AND status = 'accept') AS accepted,
           count(*) FILTER (WHERE action = 'popup' AND status = 'reject') AS rejected,
           count(*) FILTER (WHERE action = 'popup' AND status = 'ban') AS banned,
           count(*) FILTER (WHERE action = 'change' AND status IN ('reject', 'ban')) AS withdrawn,
           count(*) FILTER (WHERE action = 'change' AND status = 'accept') AS restored,
           count(*) FILTER (WHERE action = 'sent' AND error_code = '0') AS delivered,
           count(*) FILTER (WHERE action = 'sent' AND error_code IS DISTINCT FROM '0') AS failed
    FROM (
        SELECT CAST(occurred_at AT TIME ZONE :zone AS date) AS day,
               template_id, action, status, error_code
        FROM subscription_events
        WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('popup', 'change', 'sent')
          AND occurred_at >= :earliest AND occurred_at < :latest
          AND (CAST(:template_id AS text) IS NULL OR template_id = :template_id)
          AND CAST(occurred_at AT TIME ZONE :zone AS date) BETWEEN :since AND :until
    ) AS event
    GROUP BY GROUPING SETS ((day), (template_id))
    """
)
