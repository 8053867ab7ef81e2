"""Short transactions of jobs that can't wait for a database that hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory

# A statement by a key takes milliseconds. On a connection that was cut at a bad moment, or that
# hangs, it would take as long as the driver allows, and a send window lasts a minute only.
BRIEF_SECONDS: Final = 5.0


@asynccontextmanager
async def brief_transaction(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """Yield a session in a transaction of at most BRIEF_SECONDS. Raises TimeoutError.

    Its connection is closed then, since it may still wait for the server.
    """
    async with asyncio.timeout(BRIEF_SECONDS), sessions.begin() as session:
        yield session
