"""Who may come in: how many pushes are worked on at once, and how long the others wait outside.

A push that can't be stored in time is best refused before anything is done for it: decrypting,
parsing and matching cost ten times what waiting costs. WeChat waits 5 seconds and tries three
times, so a push waits a moment at the door instead of being refused at once.
"""

import asyncio
from collections import deque
from typing import Final

MAX_WAIT_SECONDS: Final = 1.0
# Pushes that wait at the door hold a connection and a task each, and nothing else.
MAX_OUTSIDE: Final = 10_000


class Admission:
    """Lets `limit` pushes in; those beyond wait, the first one first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._outside: deque[asyncio.Future[bool]] = deque()
        # Kept, since asking for it asks the system which process this is.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def enter(self) -> bool:
        """Return whether the push may come in, at once or within MAX_WAIT_SECONDS.

        Each one that comes in has to `leave`.
        """
        if self._inside < self._limit:
            self._inside += 1
            return True
        if len(self._outside) >= MAX_OUTSIDE:
            return False
        loop = self._loop = self._loop or asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._outside.append(turn)
        timer = loop.call_later(MAX_WAIT_SECONDS, _set, turn, False)
        try:
            return await turn
        except asyncio.CancelledError:
            # The turn may have come in the very moment in which the request ended.
            if not turn.cancelled() and turn.result():
                self.leave()
            raise
        finally:
            timer.cancel()

    def leave(self) -> None:
        """Hand the place on, to the first one that still waits."""
        while self._outside:
            turn = self._outside.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self._inside -= 1


def _set(turn: asyncio.Future[bool], admitted: bool) -> None:
    if not turn.done():
        turn.set_result(admitted)
