"""The time limit of a request. One timer serves all requests, since a timer each costs more."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self


class Limit:
    """A block that is under way. Leaving it raises TimeoutError when its time was up."""

    __slots__ = ("over", "task", "until")

    def __init__(self, task: asyncio.Task[object] | None, until: float) -> None:
        self.task = task
        self.until = until
        self.over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task, self.task = self.task, None
        cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        if cancelled and self.over and task is not None and task.uncancel() == 0:
            raise TimeoutError from None


class Deadline:
    """Cancels blocks that take longer than `seconds`.

    Every block has the same limit, so the one that began first is also due first.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: deque[Limit] = deque()
        self._timer: asyncio.TimerHandle | None = None
        # Kept, since asking for it asks the system which process this is.
        self._loop: asyncio.AbstractEventLoop | None = None

    def limit(self) -> Limit:
        """Return a context manager for one block: `with deadline.limit():`."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        limit = Limit(asyncio.current_task(loop), loop.time() + self._seconds)
        while self._running and self._running[0].task is None:
            self._running.popleft()
        self._running.append(limit)
        if self._timer is None:
            self._timer = loop.call_at(limit.until, self._end)
        return limit

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._running and (self._running[0].task is None or self._running[0].until <= now):
            late = self._running.popleft()
            if late.task is not None:
                late.over = True
                late.task.cancel()
        self._timer = loop.call_at(self._running[0].until, self._end) if self._running else None
