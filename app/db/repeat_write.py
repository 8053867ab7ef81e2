"""Repeats a write that must not be given up while the database is unavailable."""

import asyncio
from collections.abc import Awaitable, Callable

from app.db.job_executor import is_unavailable

PAUSE_SECONDS = 0.5


async def repeat_write(write: Callable[[], Awaitable[None]]) -> None:
    """Write, and repeat that until the database is available. Raises any other error.

    A task that is being cancelled ends when its write fails: a worker that stops breaks its
    connections and cancels its jobs, and Python may have raised the first alone. What was not
    written would be repeated for as long as the database hangs.
    """
    while True:
        try:
            await write()
        except Exception as error:
            if not is_unavailable(error):
                raise
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from None
        else:
            return
        await asyncio.sleep(PAUSE_SECONDS)
