"""Sessions and connections of one database."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from app.db.engine import COMMAND_TIMEOUT_SECONDS, Database, open_database
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


async def test_a_statement_that_takes_too_long_fails(database_url: str) -> None:
    hasty = open_database(database_url, command_timeout=0.1)

    with pytest.raises(TimeoutError):
        async with hasty.sessions() as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    await hasty.ping()
    await hasty.close()


async def test_no_connection_is_left_when_the_server_is_slow_to_close_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.engine.CLOSE_SECONDS", 0)
    opened = open_database(database_url)
    all_open = asyncio.Barrier(3)

    async def use() -> None:
        async with opened.engine.connect():
            await all_open.wait()

    await asyncio.gather(use(), use(), use())
    connections = list(opened.connections)

    await opened.close()

    assert [connection.is_closed() for connection in connections] == [True, True, True]


async def test_every_connection_has_the_time_limit_of_statements(database: Database) -> None:
    await database.ping()
    single = await database.connect()

    limits = {one._config.command_timeout for one in database.connections}
    await single.close()

    assert limits == {COMMAND_TIMEOUT_SECONDS}


async def test_a_connection_that_is_returned_after_the_close_is_closed(database: Database) -> None:
    async with database.engine.connect() as held:
        used = (await held.get_raw_connection()).driver_connection
        await database.close()
        await held.execute(text("SELECT 1"))

    assert used is not None
    assert used.is_closed()
    await database.ping()
