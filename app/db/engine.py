"""Database connections: SQLAlchemy sessions for requests and jobs, asyncpg for the hot path."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from weakref import WeakSet

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.db.advisory_lock import AdvisoryLocks, Connect
from app.db.brief_connection import BY_KEY, BriefConnection
from app.db.connection_pool import ConnectionPool

SessionFactory: TypeAlias = async_sessionmaker[AsyncSession]

CONNECT_TIMEOUT_SECONDS = 2.0
CLOSE_SECONDS = 0.5
COMMAND_TIMEOUT_SECONDS = 30.0

# The errors of an asyncpg connection when the database is or becomes unavailable. When a server has
# ended an idle connection, the next statement may raise InternalClientError: the driver takes the
# server's last message for an error of its own.
UNAVAILABLE_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


async def connect(
    url: str, command_timeout: float | None = COMMAND_TIMEOUT_SECONDS, /, **server_settings: str
) -> asyncpg.Connection:
    """Open one asyncpg connection. url: `postgresql://…`, as in DATABASE_URL.

    command_timeout: of one statement, in seconds; None: no limit. server_settings: Postgres
    parameters of this session.

    Raises OSError, TimeoutError or asyncpg.PostgresError when the database can't be reached.
    """
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=command_timeout,
        server_settings={"application_name": "oa-bridge", **server_settings},
    )


async def close_with_timeout(closing: Awaitable[None]) -> bool:
    """Wait for `closing`, but at most CLOSE_SECONDS, since the server may not respond.

    Returns whether it ended in time.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing
            return True
    return False


@dataclass(frozen=True, slots=True)
class Database:
    """One Postgres database.

    connect: opens one connection outside the pool. locks: of this process, on such a connection.
    brief: another one, for short statements. connections: all that are open, inside the pool and
    outside.
    """

    url: str
    engine: AsyncEngine
    sessions: SessionFactory
    connect: Connect
    locks: AdvisoryLocks
    brief: BriefConnection
    connections: "WeakSet[asyncpg.Connection]"

    async def ping(self) -> None:
        """Run `SELECT 1`. Raises the errors of `connect`, or SQLAlchemyError."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every pooled connection, at once if the server is slow, and give up the locks.

        One that is in use is closed when it is returned; later users get another one.
        """
        self.locks.close()
        self.brief.close()
        if not await close_with_timeout(self.engine.dispose()):
            # What was not closed yet would stay open until the process ends.
            self.terminate()

    async def close_all(self) -> None:
        """Close every connection, at the end of the process.

        Whoever still uses one was given up, but may wait for a database that hangs, and the process
        for them.
        """
        await self.close()
        self.terminate()

    def terminate(self) -> None:
        """Close every connection at once; statements that wait for a hanging server fail."""
        for connection in list(self.connections):
            connection.terminate()


def open_database(
    url: str, *, pool_size: int = 5, command_timeout: float | None = COMMAND_TIMEOUT_SECONDS
) -> Database:
    """Return a Database for `url`. It connects when it is first used."""

    connections = WeakSet[asyncpg.Connection]()

    # SQLAlchemy connects through `connect`, too, so that both read the URL in the same way.
    async def creator(**server_settings: str) -> asyncpg.Connection:
        connection = await connect(url, command_timeout, **server_settings)
        connections.add(connection)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=creator,
        poolclass=ConnectionPool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # Parameters of a statement may be text that a follower wrote.
        hide_parameters=True,
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    brief = BriefConnection(partial(creator, **BY_KEY))
    return Database(url, engine, sessions, creator, AdvisoryLocks(creator), brief, connections)
