"""How many replies one worker sends at the same time, and which of those that wait is next."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.replies.errors import TryLater


class SlotsClosed(TryLater):
    """The worker stops, and another one may run the job at once."""

    def __init__(self) -> None:
        super().__init__(timedelta(), "the worker stops")


class SendSlots:
    """Limits the replies that are being sent at once.

    most: in all. of_account: of one account among them, so that one whose calls are slow leaves
    room for the others. Whoever waits for the room of its account keeps no other account waiting.
    """

    def __init__(self, most: int, of_account: int) -> None:
        self._all = _Room(most)
        self._of_account = of_account
        self._accounts: dict[str, _Room] = {}
        self._closed = False

    @asynccontextmanager
    async def take(self, appid: str, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for room for one more reply of an account, and hold it while the block runs.

        urgent: goes before those that are not. Raises SlotsClosed once they are closed.
        """
        account = self._accounts.setdefault(appid, _Room(self._of_account))
        if self._closed:
            account.close()
        async with account.place(urgent=urgent), self._all.place(urgent=urgent):
            yield

    def close(self) -> None:
        """Let nobody in any more, so that other workers get the replies that wait here."""
        self._closed = True
        for room in (self._all, *self._accounts.values()):
            room.close()


class _Room:
    """So many places; the next free one is that of the first who waits, the urgent ones first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def close(self) -> None:
        self._closed = True
        for turn in (*self._urgent, *self._others):
            if not turn.done():
                turn.set_exception(SlotsClosed())

    @asynccontextmanager
    async def place(self, *, urgent: bool) -> AsyncIterator[None]:
        if self._closed:
            raise SlotsClosed
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._urgent if urgent else self._others)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the place was given a moment before
                self._leave()
            raise

    def _leave(self) -> None:
        for queue in (self._urgent, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
