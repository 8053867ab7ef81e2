"""Stores in the background what a process collects in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

LAST_STORE_SECONDS: Final = 1.0


class Collected(Protocol):
    """What waits in memory for the database."""

    async def keep_stored(self) -> None:
        """Store what is new again and again, until cancelled."""

    async def store(self) -> None:
        """Store what is new."""

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""


@asynccontextmanager
async def background_store(collected: Collected) -> AsyncIterator[None]:
    """Store while the block runs, and what is left when it ends, for LAST_STORE_SECONDS at most."""
    task = asyncio.create_task(collected.keep_stored())
    try:
        yield
    finally:
        # A statement that is cancelled may leave its connection open.
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_STORE_SECONDS):
                await collected.rest()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_STORE_SECONDS):
                await collected.store()
