"""Sessions and connections of one database."""

import asyncpg
import pytest

from app.db.engine import Database, open_database
from tests.service import column


async def test_a_pooled_connection_that_was_cut_is_replaced(
    database: Database, connection: asyncpg.Connection
) -> None:
    await database.ping()
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    await database.ping()


async def test_a_database_that_is_not_there_says_so() -> None:
    database = open_database("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(OSError, match="Connect"):
        await database.ping()
    await database.close()


async def test_our_connections_are_named(
    database: Database, connection: asyncpg.Connection
) -> None:
    await database.ping()

    assert set(
        await column(
            connection,
            "SELECT application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    ) == {"oa-bridge"}
