"""A connection of its own for short statements that must not wait for one of the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from app.db.advisory_lock import Connect

# A statement by a key takes milliseconds. On a connection that was cut at a bad moment, or that
# hangs, it would take as long as the driver allows, and a send window lasts a minute only.
BRIEF_SECONDS = 5.0

# The statements find their rows by key. Planned anew each time they would cost more than they do,
# and a plan that was made while the tables were empty must not read them whole later.
BY_KEY: Final = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "jit": "off"}


class BriefConnection:
    """One connection, opened when it is first needed and again after it broke.

    connect: opens it; with the parameters BY_KEY.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[asyncpg.Connection]:
        """Yield the connection for at most BRIEF_SECONDS.

        Raises TimeoutError, and the errors of opening it. Nobody else uses it meanwhile. It is
        closed when it may still wait for the server.
        """
        async with asyncio.timeout(BRIEF_SECONDS), self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            try:
                yield self._connection
            except asyncpg.PostgresError:
                raise
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the connection at once, whatever it is doing."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
