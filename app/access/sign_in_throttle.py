"""Counts failed sign-ins, in Postgres, so that the limits hold for all processes together."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.network import network_of
from app.access.random_secret import secret_hash

WINDOW: Final = timedelta(minutes=15)
MAX_BY_ADDRESS: Final = 30
MAX_BY_LINK: Final = 5

_COUNT: Final = text(
    """
    INSERT INTO sign_in_attempts AS a (key, began_at, count) VALUES (:key, :now, 1)
    ON CONFLICT (key) DO UPDATE SET
        began_at = CASE WHEN a.began_at <= :earlier THEN :now ELSE a.began_at END,
        count = CASE WHEN a.began_at <= :earlier THEN 1 ELSE a.count + 1 END
    RETURNING began_at, count
    """
)


async def count_failure(
    session: AsyncSession, address: str | None, secret: str, *, now: datetime
) -> timedelta | None:
    """Count a failed sign-in; return how long to wait if there were too many, else None.

    Once an address has too many, its links are not counted, so that it can't fill the table.
    """
    network = network_of(address or "unknown")
    wait = await _count(session, f"address:{network}", MAX_BY_ADDRESS, now)
    if wait is None:
        wait = await _count(session, f"link:{secret_hash(secret).hex()}", MAX_BY_LINK, now)
    return wait


async def _count(session: AsyncSession, key: str, limit: int, now: datetime) -> timedelta | None:
    bound = {"key": key, "now": now, "earlier": now - WINDOW}
    began_at, count = (await session.execute(_COUNT, bound)).one()
    return began_at + WINDOW - now if count > limit else None
