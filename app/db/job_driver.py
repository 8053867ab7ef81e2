"""PgQueuer's access to the database: it survives connections that are cut or that hang.

PgQueuer's own driver ends the worker with its first broken connection, and never notices one that
is silent.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

import asyncpg
import orjson
import structlog
from pgqueuer.core.tm import TaskManager

from app.db.engine import (
    CONNECT_TIMEOUT_SECONDS,
    UNAVAILABLE_ERRORS,
    close_with_timeout,
    connect,
)

POOL_SIZE: Final = 6
PROBE_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 0.5

NotifyCallback = Callable[[str | bytes | bytearray], None]

log = structlog.get_logger()


class JobDriver:
    """Runs PgQueuer's statements on a pool, and its LISTEN on a connection of its own.

    url: of the database. answer_seconds: a statement that takes longer fails, and its connection
    is closed.
    """

    def __init__(self, url: str, answer_seconds: float) -> None:
        self._url = url
        self._answer_seconds = answer_seconds
        self._pool: asyncpg.Pool | None = None
        self._listener: asyncio.Task[None] | None = None
        self._listeners: list[tuple[str, NotifyCallback]] = []
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()
        self._woken = False
        self._limits: set[asyncio.Timeout] = set()
        self.closed = False

    async def open(self) -> None:
        """Connect. Raises the errors of `connect`."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=CONNECT_TIMEOUT_SECONDS,
            reset=_keep_session,
        )

    async def close(self) -> None:
        """Close every connection, at once if the server does not respond."""
        self.closed = True
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        if self._pool is not None:
            await close_with_timeout(self._pool.close())
            self._pool.terminate()

    def terminate(self) -> None:
        """Close every connection of the pool at once; statements that wait fail."""
        self.closed = True
        if self._pool is not None:
            self._pool.terminate()
        # A connection that is being opened is not in the pool yet: the server may never accept it.
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run a statement and return its rows."""
        async with self._connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement and return its command tag."""
        async with self._connection() as connection:
            tag: str = await connection.execute(query, *args)
            return tag

    async def notify(self, channel: str, payload: str) -> None:
        """Send a NOTIFY."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Call `callback` with the payload of each NOTIFY, also after a reconnection.

        Of those that announce jobs only one is passed on until the jobs are looked for:
        PgQueuer keeps each of them, and a worker that is behind gets more than it looks at.
        """
        self._listeners.append((channel, callback))
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())

    def looks_for_jobs(self) -> None:
        """Pass on the next NOTIFY of a job. Call it before the statement that looks for jobs."""
        self._woken = False

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when no more work should start. PgQueuer's protocol has it."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """The tasks of this driver. PgQueuer's protocol has it."""
        return self._tasks

    async def __aenter__(self) -> Self:
        """Do nothing; `open` has connected."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing, since jobs that end still need connections; `close` closes them."""

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._pool is None:
            raise OSError("the driver is not open")
        # With the time for a free connection, since each is given back within it.
        async with self._in_time():
            connection = await self._pool.acquire()
            try:
                yield connection
            except asyncpg.PostgresError:
                raise
            except BaseException:
                # Waiting for the cancellation of its statement, too, could take for ever.
                connection.terminate()
                raise
            finally:
                await self._pool.release(connection)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Raise TimeoutError on `terminate`, and when a statement may take no longer."""
        async with asyncio.timeout(self._answer_seconds) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    async def _listen(self) -> None:
        while True:
            with suppress(*UNAVAILABLE_ERRORS):
                await self._listen_once()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        """Listen until the connection breaks, or does not answer to a probe."""
        connection = await connect(self._url, PROBE_SECONDS)
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        try:
            for channel, callback in self._listeners:
                await connection.add_listener(channel, self._passing_on(callback))
            while not closed.is_set():
                await connection.execute("SELECT 1")
                with suppress(TimeoutError):
                    await asyncio.wait_for(closed.wait(), PROBE_SECONDS)
        finally:
            connection.terminate()

    def _passing_on(self, callback: NotifyCallback) -> Callable[..., None]:
        def receive(_: object, __: object, ___: object, payload: str) -> None:
            if _announces_jobs(payload):
                if self._woken:
                    return
                self._woken = True
            callback(payload)

        return receive


async def _keep_session(_: asyncpg.Connection) -> None:
    """Do nothing: no statement of PgQueuer changes its session, so there is nothing to reset."""


def _announces_jobs(payload: str) -> bool:
    try:
        return bool(orjson.loads(payload)["type"] == "table_changed_event")
    except (ValueError, TypeError, KeyError):
        return False
