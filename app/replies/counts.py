"""Counts replies. The ids are UUIDv7, so that the primary key has them by time."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_id import first_id
from app.replies import passive_store

# More are not counted, so that a page has its figures soon.
MAX_COUNTED: Final = 100_000
MAX_FAILED: Final = 1000

_SENT: Final = text("""
SELECT count(*) FROM (
    SELECT status FROM replies WHERE id >= :first AND id < :beyond ORDER BY id LIMIT :most
) AS made WHERE status = 'sent'
""")

_BY_MINUTE: Final = text("""
SELECT date_trunc('minute', created_at), count(*) FROM (
    SELECT created_at, status FROM replies WHERE id >= :first ORDER BY id DESC LIMIT :most
) AS made WHERE status = 'sent' GROUP BY 1
""")

_FAILED: Final = text("""
SELECT count(*) FROM (
    SELECT FROM replies WHERE status = 'failed' AND id >= :first ORDER BY id DESC LIMIT :most
) AS failed
""")


async def sent(session: AsyncSession, since: datetime, until: datetime) -> int:
    """Return how many replies made from `since` to before `until` are sent."""
    bound = {"first": first_id(since), "beyond": first_id(until), "most": MAX_COUNTED}
    stored = int((await session.execute(_SENT, bound)).scalar_one())
    return min(stored + await passive_store.count(session, bound), MAX_COUNTED)


async def sent_by_minute(session: AsyncSession, since: datetime) -> Mapping[datetime, int]:
    """Return how many sent replies were made in each minute since then."""
    bound = {"first": first_id(since), "most": MAX_COUNTED}
    counts = Counter(await passive_store.count_by_minute(session, bound))
    counts.update({row[0]: row[1] for row in await session.execute(_BY_MINUTE, bound)})
    return counts


async def failed(session: AsyncSession, since: datetime) -> int:
    """Return how many replies made since then have failed, MAX_FAILED at most."""
    bound = {"first": first_id(since), "most": MAX_FAILED}
    return int((await session.execute(_FAILED, bound)).scalar_one())
