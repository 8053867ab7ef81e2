"""One synchronisation of an account at a time, over all processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.followers.errors import AlreadyRunning

_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")


@asynccontextmanager
async def only_one(engine: AsyncEngine, appid: str) -> AsyncIterator[None]:
    """Be the only one that synchronises an account. Raises AlreadyRunning at once if it is not.

    A session lock on a connection of its own, which is closed afterwards: the lock ends with it,
    also when the process is killed.
    """
    async with engine.connect() as connection:
        held = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not await held.scalar(_TRY, {"name": f"oa_bridge.followers.{appid}"}):
                raise AlreadyRunning
            yield
        finally:
            await held.invalidate()
