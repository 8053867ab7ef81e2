"""The time that one request may take, watched over for all of them by one timer."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self


class Limit:
    """One block that runs. Raises TimeoutError at its end when its time was up."""

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


class Budget:
    """Ends what takes longer than `seconds`; all get the same, so the first in is the first out."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: deque[Limit] = deque()
        self._timer: asyncio.TimerHandle | None = None
        # Kept, since asking for it asks the system which process this is.
        self._loop: asyncio.AbstractEventLoop | None = None

    def limit(self) -> Limit:
        """Return what to run the block in: `with budget.limit():`."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        mine = Limit(asyncio.current_task(loop), loop.time() + self._seconds)
        while self._running and self._running[0].task is None:
            self._running.popleft()
        self._running.append(mine)
        if self._timer is None:
            self._timer = loop.call_at(mine.until, self._end)
        return mine

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._running and (self._running[0].task is None or self._running[0].until <= now):
            late = self._running.popleft()
            if late.task is not None:
                late.over = True
                late.task.cancel()
        self._timer = loop.call_at(self._running[0].until, self._end) if self._running else None
