"""Who waits for a lock in a test's database."""

from collections.abc import Awaitable, Callable

import asyncpg

WAITING = """
SELECT pid FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()
  AND query LIKE $1
ORDER BY pid
"""


async def waiting_backends(connection: asyncpg.Connection, query: str = "%") -> list[int]:
    """Return the process ids of the backends whose statement, like `query`, waits for a lock.

    Within a transaction Postgres would show again what the first look has seen, for good.
    """
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return [row["pid"] for row in await connection.fetch(WAITING, query)]


def backend_waits(
    connection: asyncpg.Connection, query: str = "%"
) -> Callable[[], Awaitable[list[int]]]:
    """Tell, to `eventually`, which backends wait: see `waiting_backends`."""

    async def look() -> list[int]:
        return await waiting_backends(connection, query)

    return look
