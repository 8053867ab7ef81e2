"""The inbox's own connection to the database: one, opened when it is needed.

It is not of the pool: a callback never waits for a connection that something else holds.
"""

import asyncio

import asyncpg

from app.db.engine import UNAVAILABLE_ERRORS, connect

# The statements are the same each time and touch rows by key alone. Planned anew for every
# batch, it would spend more on planning than on storing; and a plan made while the tables are
# empty must not read them whole when they are not.
_SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
}

# What says that the database is unavailable, busy or not set up, and nothing of the batch. By
# SQLSTATE class: connection, transaction lost, resources, object in use, operator, system, no
# such table.
_UNAVAILABLE_CLASSES = frozenset({"08", "25", "40", "42", "53", "55", "57", "58"})


def is_unavailable(error: BaseException) -> bool:
    """Tell whether an error is the database's fault; any other is that of a value in the batch."""
    if isinstance(error, asyncpg.PostgresError):
        # A statement prepared before the tables changed; its class is that of many things.
        outdated = isinstance(error, asyncpg.InvalidCachedStatementError)
        return outdated or (error.sqlstate or "08")[:2] in _UNAVAILABLE_CLASSES
    return isinstance(error, UNAVAILABLE_ERRORS)


class InboxConnection:
    """A connection that is opened when it is first needed, and again after it was closed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None

    async def open(self, seconds: float) -> asyncpg.Connection:
        """Return the open connection. Raises OSError, TimeoutError or asyncpg.PostgresError.

        seconds: how long opening it may take.
        """
        if self._connection is None or self._connection.is_closed():
            async with asyncio.timeout(seconds):
                self._connection = await connect(self._url, **_SESSION)
        return self._connection

    def close(self) -> None:
        """Close the connection at once, whatever it is doing."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
