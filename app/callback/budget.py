"""The time that one request may take, watched over for all of them by one timer."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[object] | None
    until: float
    over: bool = False


class Budget:
    """Ends what takes longer than `seconds`; all get the same, so the first in is the first out."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: deque[_Running] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Run the block. Raises TimeoutError when its time is up."""
        loop = asyncio.get_running_loop()
        mine = _Running(asyncio.current_task(), loop.time() + self._seconds)
        while self._running and self._running[0].task is None:
            self._running.popleft()
        self._running.append(mine)
        if self._timer is None:
            self._timer = loop.call_at(mine.until, self._end)
        try:
            yield
        except asyncio.CancelledError:
            if mine.over and mine.task is not None and mine.task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            mine.task = None

    def _end(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._running and (self._running[0].task is None or self._running[0].until <= now):
            late = self._running.popleft()
            if late.task is not None:
                late.over = True
                late.task.cancel()
        self._timer = loop.call_at(self._running[0].until, self._end) if self._running else None
