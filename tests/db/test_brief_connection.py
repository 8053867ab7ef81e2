"""One connection for short statements, which comes back after it broke."""

import asyncio

import asyncpg
import pytest

from app.db.engine import UNAVAILABLE_ERRORS, Database
from tests.waiting import eventually

PID = "SELECT pg_backend_pid()"


async def pid(database: Database) -> int:
    async with database.brief.use() as connection:
        return int(await connection.fetchval(PID))


async def test_it_stays_open_and_is_opened_again_when_the_server_has_closed_it(
    database: Database, connection: asyncpg.Connection
) -> None:
    first = await pid(database)
    again = await pid(database)
    await connection.execute("SELECT pg_terminate_backend($1)", first)

    async def works() -> int:
        try:
            return await pid(database)
        except UNAVAILABLE_ERRORS:  # the first to notice
            return 0

    assert again == first
    assert await eventually(works) != first


async def test_a_statement_that_hangs_is_given_up_with_its_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await pid(database)
    with monkeypatch.context() as hurried:
        hurried.setattr("app.db.brief_connection.BRIEF_SECONDS", 0.2)
        with pytest.raises(TimeoutError):
            async with database.brief.use() as one:
                await one.execute("SELECT pg_sleep(3600)")

    assert await pid(database) != first


async def test_an_error_of_a_statement_leaves_the_connection_open(database: Database) -> None:
    first = await pid(database)
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with database.brief.use() as one:
            await one.execute("SELECT 1 / 0")

    assert await pid(database) == first


async def test_two_tasks_use_it_one_after_the_other(database: Database) -> None:
    async def count() -> int:
        async with database.brief.use() as one:
            first = await one.fetchval("SELECT 1")
            return int(first + await one.fetchval("SELECT 1"))

    assert await asyncio.gather(*[count() for _ in range(8)]) == [2] * 8


async def test_closing_the_database_closes_it(
    database: Database, connection: asyncpg.Connection
) -> None:
    first = await pid(database)
    await database.close()

    async def is_gone() -> bool:
        query = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
        return bool(await connection.fetchval(query, first))

    assert await eventually(is_gone)
