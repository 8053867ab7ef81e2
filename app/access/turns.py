"""One at a time for each key; whoever waits while one fails shares its failure."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """The turns of one process.

    Of a hundred that wait for a call which hangs until its time is up, each would make it again,
    and the last of them would have waited a hundred times as long.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._failures: dict[Hashable, Exception] = {}

    @asynccontextmanager
    async def take(self, key: Hashable) -> AsyncIterator[None]:
        """Run the block in turn. Raises what a turn raised that ended meanwhile."""
        before = self._failures.get(key)
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
