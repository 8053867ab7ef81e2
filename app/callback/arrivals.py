"""Counts the pushes that arrived. The ids are UUIDv7, so that the primary key has them by time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_id import first_id

# More are not counted, so that a page has its figures soon.
MAX_COUNTED: Final = 100_000

_COUNT: Final = text("""
SELECT count(*) FROM (
    SELECT FROM callbacks WHERE id >= :first AND id < :beyond LIMIT :most
) AS arrived
""")

_BY_MINUTE: Final = text("""
SELECT date_trunc('minute', received_at), count(*) FROM (
    SELECT received_at FROM callbacks WHERE id >= :first ORDER BY id DESC LIMIT :most
) AS arrived
GROUP BY 1
""")


async def count(session: AsyncSession, since: datetime, until: datetime) -> int:
    """Return how many arrived from `since` to before `until`, MAX_COUNTED at most."""
    bound = {"first": first_id(since), "beyond": first_id(until), "most": MAX_COUNTED}
    return int((await session.execute(_COUNT, bound)).scalar_one())


async def by_minute(session: AsyncSession, since: datetime) -> Mapping[datetime, int]:
    """Return how many arrived in each minute since then, of the newest MAX_COUNTED."""
    rows = await session.execute(_BY_MINUTE, {"first": first_id(since), "most": MAX_COUNTED})
    return {row[0]: row[1] for row in rows}
