"""A lock over all processes, for one refresh or upload at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_TAKE = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_GIVE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


@asynccontextmanager
async def shared_lock(engine: AsyncEngine, name: str) -> AsyncIterator[None]:
    """Hold the lock `name` of this database; whoever dies gives it back.

    A session lock on a connection of its own: the holder calls WeChat meanwhile, and no
    transaction may be open while it does.
    """
    async with engine.connect() as connection:
        held = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await held.execute(_TAKE, {"name": name})
            yield
            await held.execute(_GIVE, {"name": name})
        except BaseException:
            # Closing the connection gives the lock back, whatever state it is in.
            await held.invalidate()
            raise
