"""Advisory locks, which exclude all processes that share the database.

A lock belongs to the session of its own connection, not to a transaction: its holder calls WeChat
meanwhile, and no transaction may be open then. It ends with the connection, even when the process
is killed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_WAIT = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_RELEASE = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


class LockTaken(Exception):
    """Another process holds the lock."""


@asynccontextmanager
async def hold(engine: AsyncEngine, name: str) -> AsyncIterator[None]:
    """Wait for the lock `name` and hold it while the block runs."""
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await autocommit.execute(_WAIT, {"name": name})
            yield
            await autocommit.execute(_RELEASE, {"name": name})
        except BaseException:
            # Closing the connection releases the lock in every state.
            await autocommit.invalidate()
            raise


@asynccontextmanager
async def try_hold(engine: AsyncEngine, name: str) -> AsyncIterator[None]:
    """Hold the lock `name` while the block runs. Raises LockTaken at once if it is taken."""
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not await autocommit.scalar(_TRY, {"name": name}):
                raise LockTaken
            yield
        finally:
            await autocommit.invalidate()
