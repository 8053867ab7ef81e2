"""One at a time for each key; whoever waits while one fails shares its failure."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class SingleFlight:
    """The turns of one process.

    Of a hundred that wait for a call which hangs until its time is up, each would make it again,
    and the last of them would have waited a hundred times as long.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._failures: dict[Hashable, Exception] = {}
        self._here: Counter[Hashable] = Counter()

    @asynccontextmanager
    async def run(self, key: Hashable) -> AsyncIterator[None]:
        """Run the block in turn. Raises what a turn raised that ended meanwhile."""
        before = self._failures.get(key)
        self._here[key] += 1
        try:
            async with self._locks[key]:
                failure = self._failures.get(key)
                if failure is not None and failure is not before:
                    raise failure
                try:
                    yield
                except Exception as error:
                    self._failures[key] = error
                    raise
                self._failures.pop(key, None)
        finally:
            self._here[key] -= 1
            if not self._here[key]:
                # A failure holds on to all that was at hand, a picture of megabytes included.
                for kept in (self._here, self._locks, self._failures):
                    kept.pop(key, None)
