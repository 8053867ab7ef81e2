"""Waiting for a condition, with a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

POLL_SECONDS = 0.05

T = TypeVar("T")


async def until(
    condition: Callable[[], Awaitable[T]], within: float, what: str = "the condition"
) -> T:
    """Return the first true value of `condition`; fail after `within` seconds without one."""
    deadline = time.monotonic() + within
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"waited {within} s for {what}; last: {found!r}"
        await asyncio.sleep(POLL_SECONDS)
    return found
