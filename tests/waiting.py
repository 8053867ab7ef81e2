"""Waiting for what another task, process or server does, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

# A busy machine takes its time; nothing that works is waited for to the end.
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.02

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]],
    what: str = "what is waited for",
    *,
    within: float = PATIENCE_SECONDS,
) -> T:
    """Return what `look` returns as soon as it is true; fail after `within` seconds."""
    found: T | None = None
    try:
        async with asyncio.timeout(within):
            while True:
                found = await look()
                if found:
                    return found
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise AssertionError(f"waited {within} s for {what}; last: {found!r}") from None
