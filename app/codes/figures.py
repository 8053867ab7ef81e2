"""Counts the codes of a campaign: how many are left, given and redeemed, by door and day.

A person who was erased stays counted, since a code stays. A code that is void counts nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
from app.codes.holder import Door
from app.db.day_starts import DAY, DAY_STARTS

# More than so many codes left are not counted one by one.
MAX_LEFT: Final = 100_000


@dataclass(frozen=True, slots=True)
class DoorDay:
    """What one door brought on one day in Shanghai. door: None if none is known."""

    day: date
    door: Door | None
    given: int = 0
    redeemed: int = 0


async def left(
    session: AsyncSession, campaign_ids: Sequence[UUID], most: int = MAX_LEFT
) -> Mapping[UUID, int]:
    """Return how many codes of each pool are free, counted up to `most`.

    Campaigns that never had a code are left out.
    """
    found = await session.execute(_LEFT, {"campaign_ids": list(campaign_ids), "most": most})
    return {campaign_id: int(count) for campaign_id, count in found}


async def by_door_and_day(
    session: AsyncSession, campaign_id: UUID, since: date, until: date
) -> Sequence[DoorDay]:
    """Return the figures of each door and day that has any, by day; both days are included."""
    found = await session.execute(
        _BY_DOOR_AND_DAY,
        {"campaign_id": campaign_id, "since": since, "until": until, "zone": SHANGHAI.key},
    )
    return [
        DoorDay(
            row.day, None if row.kind is None else Door(row.kind, row.id), row.given, row.redeemed
        )
        for row in found
    ]


_LEFT: Final = text("""
SELECT one.id, free.count
FROM unnest(CAST(:campaign_ids AS uuid[])) AS one (id) CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM campaign_codes
        WHERE campaign_id = one.id AND given_at IS NULL LIMIT :most
    ) AS counted
) AS free
WHERE EXISTS (SELECT FROM code_imports WHERE campaign_id = one.id)
""")

_BY_DOOR_AND_DAY: Final = text(f"""
WITH span AS (SELECT {DAY_STARTS} AS starts),
given AS (
    SELECT width_bucket(given_at, span.starts) AS number, door_kind, door_id,
           count(*) AS given, 0 AS redeemed
    FROM campaign_codes, span
    WHERE campaign_id = :campaign_id AND void_at IS NULL
      AND given_at >= span.starts[1] AND given_at < span.starts[cardinality(span.starts)]
    GROUP BY 1, door_kind, door_id
), redeemed AS (
    SELECT width_bucket(redeemed_at, span.starts) AS number, door_kind, door_id,
           0 AS given, count(*) AS redeemed
    FROM campaign_codes, span
    WHERE campaign_id = :campaign_id AND void_at IS NULL
      AND redeemed_at >= span.starts[1] AND redeemed_at < span.starts[cardinality(span.starts)]
    GROUP BY 1, door_kind, door_id
)
SELECT {DAY} AS day, door_kind AS kind, door_id AS id, sum(given) AS given,
       sum(redeemed) AS redeemed
FROM (SELECT * FROM given UNION ALL SELECT * FROM redeemed) AS counted
GROUP BY number, door_kind, door_id ORDER BY number, door_kind, door_id
""")  # noqa: S608 - constants of this package
