"""Single-flight: concurrent callers of one key run one after another and share an error."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class SingleFlight:
    """The keys that are in use in one process.

    A caller that waits while the running one fails gets the same error. Otherwise each of a hundred
    callers would make the same call in turn, and the last would wait for a hundred time-outs.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._failures: dict[Hashable, Exception] = {}
        self._callers: Counter[Hashable] = Counter()

    @asynccontextmanager
    async def run(self, key: Hashable) -> AsyncIterator[None]:
        """Run the block while no other block of `key` runs.

        Raises the error of a block of `key` that failed while this one waited.
        """
        before = self._failures.get(key)
        self._callers[key] += 1
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
            self._callers[key] -= 1
            if not self._callers[key]:
                # An exception keeps its local variables alive, such as a picture of megabytes.
                for by_key in (self._callers, self._locks, self._failures):
                    by_key.pop(key, None)
