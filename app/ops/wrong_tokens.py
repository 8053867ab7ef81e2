"""Counts requests without a valid token by address, and slows an address with too many down.

A valid token is never refused or slowed, because all callers behind one proxy share its address.
What keeps a token from being guessed is its length.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from app.access.network import network_of

FREE_ATTEMPTS: Final = 10
WINDOW_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 1.0
MAX_PAUSED: Final = 100
MAX_ADDRESSES: Final = 10_000


class WrongTokens:
    """The recent attempts of at most MAX_ADDRESSES addresses; the oldest are forgotten."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._paused = 0

    async def slow_down(self, address: str) -> bool:
        """Count one attempt, and wait if there were too many.

        Returns False if as many wait already as may: the request is then answered 429 at once.
        """
        if self._count(network_of(address)) <= FREE_ATTEMPTS:
            return True
        if self._paused >= MAX_PAUSED:
            return False
        self._paused += 1
        try:
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._paused -= 1
        return True

    def _count(self, network: str) -> int:
        now = self._monotonic()
        began, count = self._seen.pop(network, (now, 0))
        if now - began > WINDOW_SECONDS:
            began, count = now, 0
        self._seen[network] = (began, count + 1)
        if len(self._seen) > MAX_ADDRESSES:
            self._seen.popitem(last=False)
        return count + 1
