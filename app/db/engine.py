"""Connections: SQLAlchemy sessions for requests and jobs, plain asyncpg for the hot path."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
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

SessionFactory: TypeAlias = async_sessionmaker[AsyncSession]

CONNECT_TIMEOUT_SECONDS = 2.0
CLOSE_SECONDS = 0.5
COMMAND_TIMEOUT_SECONDS = 30.0

# What a plain connection raises when the database can't be reached or goes away. The driver takes
# the farewell of a server that ends an idle connection for a fault of its own (InternalClientError)
# if it is asked for something before it notices the end.
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

    command_timeout: seconds; None for what takes as long as it takes. server_settings: Postgres
    parameters of this session.

    Raises OSError, TimeoutError or asyncpg.PostgresError when the database can't be reached.
    """
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=command_timeout,
        server_settings={"application_name": "oa-bridge", **server_settings},
    )


async def close_in_time(closing: Awaitable[None]) -> None:
    """Close connections; a server that does not answer is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


@dataclass(frozen=True, slots=True)
class Database:
    """One Postgres database as the service uses it. opened: by the engine, and still in use."""

    url: str
    engine: AsyncEngine
    sessions: SessionFactory
    opened: "WeakSet[asyncpg.Connection]"

    async def ping(self) -> None:
        """Ask the database for one row. Raises what `connect` raises, or SQLAlchemyError."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every pooled connection."""
        await close_in_time(self.engine.dispose())

    def abandon(self) -> None:
        """End every connection at once, and with it whatever waits for a server that hangs."""
        for connection in list(self.opened):
            connection.terminate()


def open_database(
    url: str, *, pool_size: int = 5, command_timeout: float | None = COMMAND_TIMEOUT_SECONDS
) -> Database:
    """Return a Database for `url`; nothing is connected until it is used.

    The engine connects through `connect`, so that a DSN means the same to both drivers.
    """

    opened = WeakSet[asyncpg.Connection]()

    async def creator() -> asyncpg.Connection:
        connection = await connect(url, command_timeout)
        opened.add(connection)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=creator,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        # What a statement is given may be a follower's words.
        hide_parameters=True,
    )
    return Database(url, engine, async_sessionmaker(engine, expire_on_commit=False), opened)
