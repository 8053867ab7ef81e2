"""Locks over all processes that share the database.

A session lock on a connection of its own: its holder calls WeChat meanwhile, and no transaction
may be open while it does. The lock ends with its connection, also when the process is killed.
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
    """Wait for the lock `name`, and hold it while the block runs."""
    async with engine.connect() as connection:
        held = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await held.execute(_WAIT, {"name": name})
            yield
            await held.execute(_RELEASE, {"name": name})
        except BaseException:
            # Closing the connection gives the lock back, whatever state it is in.
            await held.invalidate()
            raise


@asynccontextmanager
async def try_hold(engine: AsyncEngine, name: str) -> AsyncIterator[None]:
    """Hold the lock `name` while the block runs. Raises LockTaken at once if another has it."""
    async with engine.connect() as connection:
        held = await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not await held.scalar(_TRY, {"name": name}):
                raise LockTaken
            yield
        finally:
            await held.invalidate()
