"""Short transactions of jobs that can't wait for a database that hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import brief_connection
from app.db.engine import SessionFactory


@asynccontextmanager
async def brief_transaction(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """Yield a session in a transaction of at most BRIEF_SECONDS. Raises TimeoutError.

    Its connection is closed then, since it may still wait for the server. In a task that is being
    cancelled, CancelledError takes the place of any error: a worker that stops breaks its
    connections and cancels its jobs, Python may raise the first alone, and a job that repeats what
    failed would go on for as long as the database hangs.
    """
    try:
        async with asyncio.timeout(brief_connection.BRIEF_SECONDS), sessions.begin() as session:
            yield session
    except Exception:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        raise
