"""The inbox's connection to the database: one, opened when needed, dropped when in doubt."""

import asyncio
from collections.abc import Sequence

import asyncpg

from app.callback import flush
from app.callback.errors import BadData
from app.callback.record import Kept, Record
from app.db.engine import connect

# What a bad value raises, on either side of the wire; anything else is the database's fault.
DATA_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    ValueError,
    TypeError,
    OverflowError,
)
LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Link:
    """Commits batches over one connection; not for two tasks at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None

    async def commit(self, batch: Sequence[Record], *, seconds: float) -> list[Kept | BadData]:
        """Commit a batch; a record that the database can't hold fails alone.

        Raises one of AWAY when the database is away or takes longer than `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._commit(batch)
        except BaseException:
            # After an error in mid-flight nobody knows what the connection still waits for.
            self.drop()
            raise

    async def _commit(self, batch: Sequence[Record]) -> list[Kept | BadData]:
        connection = await self._open()
        try:
            return [*await flush.store(connection, batch)]
        except LOST_RACES:
            return [*await flush.store(connection, batch)]
        except DATA_ERRORS:
            if len(batch) == 1:
                return [BadData()]
        middle = len(batch) // 2
        return [*await self._commit(batch[:middle]), *await self._commit(batch[middle:])]

    async def _open(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, **flush.SESSION)
        return self._connection

    def drop(self) -> None:
        """Close the connection without a farewell; the next commit opens a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
