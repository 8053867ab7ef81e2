"""Indexes that are built after the migrations, while the tables are in use."""

import asyncio

import asyncpg
import pytest

from app.db.engine import Database
from app.db.index_builder import build_indexes
from tests.service import column
from tests.waiting import PATIENCE_SECONDS

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_callbacks_passive'::regclass"
PUSH = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
VALUES (gen_random_uuid(), 'wx1', int4send(0) || uuid_send(gen_random_uuid()), 'o1', 'text',
        now(), now(), '{}')
"""


async def test_a_migrated_database_has_them_and_building_again_does_nothing(
    database: Database, connection: asyncpg.Connection
) -> None:
    assert await build_indexes(database.engine) == []
    assert await column(connection, VALID) == [True]


@pytest.mark.parametrize(
    "harm",
    [
        "DROP INDEX ix_callbacks_passive",
        "UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'ix_callbacks_passive'::regclass",
    ],
)
async def test_one_that_is_missing_or_was_interrupted_is_built(
    database: Database, connection: asyncpg.Connection, harm: str
) -> None:
    await connection.execute(harm)

    assert await build_indexes(database.engine) == ["ix_callbacks_passive"]
    assert await column(connection, VALID) == [True]


async def test_two_processes_at_once_build_it_once(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("DROP INDEX ix_callbacks_passive")

    built = await asyncio.gather(*(build_indexes(database.engine) for _ in range(3)))

    assert sorted(built) == [[], [], ["ix_callbacks_passive"]]


async def test_pushes_are_stored_while_one_is_built(
    database: Database, connection: asyncpg.Connection, database_url: str
) -> None:
    await connection.execute("DROP INDEX ix_callbacks_passive")
    other = await asyncpg.connect(database_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(PUSH)  # the build waits for this transaction
    building = asyncio.create_task(build_indexes(database.engine))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'"
    while await column(connection, waits) != [1]:
        await asyncio.wait([building], timeout=0.05)

    await connection.execute(PUSH, timeout=PATIENCE_SECONDS)

    assert not building.done()
    await transaction.commit()
    assert await building == ["ix_callbacks_passive"]
    await other.close()
