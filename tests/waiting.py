"""Waiting for what another task, process or server does, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.02

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = PATIENCE_SECONDS) -> T:
    """Return what `look` returns as soon as it is true. Raises TimeoutError after `within`."""
    async with asyncio.timeout(within):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(LOOK_SECONDS)
