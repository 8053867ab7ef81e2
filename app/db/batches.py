"""Does in one call what many tasks ask for at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """Joins the requests of tasks: those that come while a call runs share the next one.

    run: takes up to `most` items; returns one result for each, in their order. Its error is that of
    each task that shared the call.
    """

    def __init__(self, run: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, most: int) -> None:
        self._run = run
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def do(self, item: T) -> R:
        """Return the result for an item. Raises the errors of `run`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            # It serves many tasks, so it is no part of the trace of the first one.
            self._running = asyncio.create_task(self._run_all(), context=Context())
        result: R = await future
        return result

    async def _run_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            # Nobody waits any more for those whose task was cancelled.
            await self._run_one([entry for entry in batch if not entry[1].done()])

    async def _run_one(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        try:
            results = await self._run([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is raised in each task that waits for it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        except BaseException:
            for _, future in (*batch, *self._waiting):
                future.cancel()
            self._waiting.clear()
            raise
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
