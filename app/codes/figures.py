"""Counts the codes of a campaign: how many are left, given and redeemed, by door and day.

A person who was erased stays counted, since a code stays. A code that is void counts nowhere. What
was given and redeemed is read from counts by day, which triggers keep: a pool may have millions of
codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes.holder import Door

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
        {"campaign_id": campaign_id, "since": since, "until": until},
    )
    return [
        DoorDay(
            row.day, None if row.kind is None else Door(row.kind, row.id), row.given, row.redeemed
        )
        for row in found
    ]


async def redeemed(session: AsyncSession, campaign_id: UUID) -> int:
    """Return how many codes of a campaign were redeemed, on whatever day."""
    found = await session.scalar(_REDEEMED, {"campaign_id": campaign_id})
    return int(found or 0)


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

_BY_DOOR_AND_DAY: Final = text("""
SELECT day, door_kind AS kind, door_id AS id,
       CAST(COALESCE(sum(count) FILTER (WHERE measure = 'given'), 0) AS bigint) AS given,
       CAST(COALESCE(sum(count) FILTER (WHERE measure = 'redeemed'), 0) AS bigint) AS redeemed
FROM code_day_counts WHERE campaign_id = :campaign_id AND day BETWEEN :since AND :until
GROUP BY day, door_kind, door_id
HAVING sum(count) FILTER (WHERE measure = 'given') <> 0
    OR sum(count) FILTER (WHERE measure = 'redeemed') <> 0
ORDER BY day, door_kind, door_id
""")

_REDEEMED: Final = text("""
SELECT sum(count) FROM code_day_counts WHERE campaign_id = :campaign_id AND measure = 'redeemed'
""")
