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

    Its connection is closed then, since it may still wait for the server.
    """
    async with asyncio.timeout(brief_connection.BRIEF_SECONDS), sessions.begin() as session:
        yield session
