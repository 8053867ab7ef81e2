"""Pushes at a steady pace, which no answer slows down."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.e2e.peer import Peer, texts

GROUP = "load"
TICK_SECONDS = 0.1


class Load:
    """Pushes of one person each, to the URLs in turn. seconds: how long it has pushed."""

    def __init__(self, peer: Peer, urls: list[str], rate: float) -> None:
        self.count = 0
        self._peer = peer
        self._urls = urls
        self._rate = rate
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has pushed."""
        return (self._ended or time.monotonic()) - self._began

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Push until the block ends, then wait until WeChat has delivered or given up each push."""
        pump = asyncio.create_task(self._pump())
        try:
            yield
            if pump.done():
                pump.result()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            self._ended = time.monotonic()
        await self._peer.wait_for_pushes()

    async def _pump(self) -> None:
        while True:
            due = int(self.seconds * self._rate) - self.count
            if due > 0:
                first, self.count = self.count, self.count + due
                pushes = texts(self._urls, due, group=GROUP, first=first, wait=False)
                await self._peer.push_all(pushes)
            await asyncio.sleep(TICK_SECONDS)
