"""Advisory locks, which exclude all processes that share the database.

A lock belongs to the session of its connection, not to a transaction: its holder calls WeChat
meanwhile, and no transaction may be open then. It ends with the connection, even when the process
is killed. No lock uses a connection of the pool: a pool whose connections were held by those who
wait for WeChat would have none left for anybody else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
import structlog

Connect: TypeAlias = Callable[[], Awaitable[asyncpg.Connection]]

STATEMENT_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.05
# Longer than one call to WeChat takes. A holder that needs longer is paused or cut off.
PATIENCE_SECONDS: Final = 15.0

_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
_RELEASE: Final = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"
_FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger()


class LockTaken(Exception):
    """Another process holds the lock."""


class LockLost(ConnectionError):
    """The connection that held the lock has ended, so another process may hold it now."""


class AdvisoryLocks:
    """The locks of one process, all on one connection, which is opened when it is first needed.

    They keep processes from doing the same thing twice. They do not guarantee it: a lock that can't
    be had within PATIENCE_SECONDS is done without.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._one_statement = asyncio.Lock()
        # The session may take its own lock a second time, so tasks are kept apart here.
        self._names: set[str] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold the lock `name` while the block runs, or do without it after PATIENCE_SECONDS."""
        connection = await self._wait(name)
        try:
            yield
        finally:
            if connection is not None:
                await self._release(name, connection)

    def close(self) -> None:
        """Give up every lock. The next `hold` opens another connection."""
        self._drop(self._connection)

    async def _wait(self, name: str) -> asyncpg.Connection | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                connection = await self._try(name)
            except _FAILURES as error:
                log.warning("db.lock_not_held", lock=_kind(name), reason=type(error).__name__)
                return None
            if connection is not None:
                return connection
            if loop.time() >= until:
                log.warning("db.lock_not_held", lock=_kind(name), reason="taken for too long")
                return None
            await asyncio.sleep(POLL_SECONDS)

    async def _try(self, name: str) -> asyncpg.Connection | None:
        async with self._one_statement:
            if name in self._names:
                return None
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            connection = self._connection
            try:
                taken = await connection.fetchval(_TRY, name, timeout=STATEMENT_SECONDS)
            except BaseException:
                # Nobody knows whether the lock is taken. Without the connection it is not.
                self._drop(connection)
                raise
            if not taken:
                return None
            self._names.add(name)
            return connection

    async def _release(self, name: str, connection: asyncpg.Connection) -> None:
        self._names.discard(name)
        async with self._one_statement:
            if connection.is_closed():
                return
            try:
                await connection.fetchval(_RELEASE, name, timeout=STATEMENT_SECONDS)
            except _FAILURES:
                self._drop(connection)
            except BaseException:
                self._drop(connection)
                raise

    def _drop(self, connection: asyncpg.Connection | None) -> None:
        if connection is not None:
            connection.terminate()


class HeldLock:
    """A lock that somebody else must not take while its holder works."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def confirm(self) -> None:
        """Make sure that the lock is still held. Raises LockLost."""
        try:
            await self._connection.execute("SELECT 1", timeout=STATEMENT_SECONDS)
        except _FAILURES:
            raise LockLost("the connection that held the lock has ended") from None


@asynccontextmanager
async def try_hold(connect: Connect, name: str) -> AsyncIterator[HeldLock]:
    """Hold the lock `name` on a connection of its own. Raises LockTaken at once if it is taken."""
    connection = await connect()
    try:
        if not await connection.fetchval(_TRY, name):
            raise LockTaken
        yield HeldLock(connection)
    finally:
        connection.terminate()


def _kind(name: str) -> str:
    # The name of a picture's lock holds its address, which may hold a secret.
    return name.partition(":")[0]
