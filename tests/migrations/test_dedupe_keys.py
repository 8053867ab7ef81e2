"""The versions before and after dedupe keys began with a time know each other's pushes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from uuid_utils.compat import uuid7

from app.db import migrate
from app.db.engine import Database, connect
from app.wechat.inbound.dedupe import DIGEST_BYTES
from tests.service import (
    APPID,
    Service,
    WorldClock,
    clock,
    column,
    message,
    service,
    settings,
)

__all__ = ["clock", "service", "settings"]

# As a process of the version before stores a push.
STORE = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
VALUES ($1, $2, $3, 'oFOLLOWER', 'text', $4, now(), '{}')
ON CONFLICT (appid, dedupe_key) DO NOTHING RETURNING id
"""
STORE_AHEAD = STORE.replace("now(), '{}'", "$4, $5::text::jsonb")
MANY = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
SELECT gen_random_uuid(), $1, uuid_send(gen_random_uuid()), 'o' || n, 'text', now(), now(), '{}'
FROM generate_series(1, $2::int) AS n
"""
READ = """
SELECT CAST(sum(idx_tup_read) AS int) FROM pg_stat_user_indexes WHERE relname = 'callbacks'
"""
KEYS = "SELECT dedupe_key FROM callbacks ORDER BY id"
BEFORE, AFTER = "0099", "0103"
KEYS_BEGIN_WITH_A_TIME = "0100"
AT = datetime(2026, 11, 24, 8, 0, 1, tzinfo=UTC)
EARLIER_KEY = bytes(range(DIGEST_BYTES))
PRESENT_KEY = int(AT.timestamp()).to_bytes(4, "big") + EARLIER_KEY
# Of a push that was stored in 2025.
LONG_AGO = UUID("01941f29-7c00-7000-8000-000000000001")


async def store(
    connection: asyncpg.Connection, key: bytes, at: datetime = AT, id: UUID | None = None
) -> bool:
    """Store a push as the version before does; return whether it is new to it."""
    return await connection.fetchval(STORE, id or uuid7(), APPID, key, at) is not None


async def store_ahead(
    connection: asyncpg.Connection, key: bytes, now: datetime, create_time: int
) -> bool:
    """Store a push from the future as the version before does; return whether it is new to it."""
    payload = f'{{"CreateTime": "{create_time}"}}'
    return await connection.fetchval(STORE_AHEAD, uuid7(), APPID, key, now, payload) is not None


async def entries_read(connection: asyncpg.Connection) -> int:
    """Return how many entries of the table's indexes were read so far."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    read: int = await connection.fetchval(READ)
    return read


async def test_a_push_that_the_new_version_has_stored_is_a_duplicate_to_the_one_before(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.push(message(clock))
    [key] = await column(connection, KEYS)

    assert int.from_bytes(key[:-DIGEST_BYTES], "big") == clock.seconds
    assert not await store(connection, key[-DIGEST_BYTES:], clock.now())
    assert await column(connection, KEYS) == [key]


async def test_a_push_that_the_version_before_stores_is_a_duplicate_to_the_new_one(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    pushed = message(clock)
    await service.push(pushed)
    [key] = await column(connection, KEYS)
    await connection.execute("DELETE FROM callbacks")

    assert await store(connection, key[-DIGEST_BYTES:], clock.now())
    await service.push(pushed)

    assert await column(connection, KEYS) == [key]


@pytest.mark.parametrize(("ahead", "unit"), [(6, 1), (300, 1), (300, 1000), (300, 1_000_000)])
async def test_a_push_from_the_future_is_one_push_to_both_versions(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, ahead: int, unit: int
) -> None:
    create_time = (clock.seconds + ahead) * unit
    await service.push(message(clock, CreateTime=create_time))
    [key] = await column(connection, KEYS)
    # The time at which each copy came stands in place of its CreateTime.
    copies = [(clock.now() + timedelta(seconds=late), create_time) for late in (0, 5)]
    found = [await store_ahead(connection, key[-DIGEST_BYTES:], *copy) for copy in copies]
    await connection.execute("DELETE FROM callbacks")
    found += [await store_ahead(connection, key[-DIGEST_BYTES:], *copy) for copy in copies]

    assert found == [False, False, True, False]
    assert await column(connection, KEYS) == [key]


async def test_what_was_stored_a_moment_before_the_upgrade_gets_the_new_key(
    empty: Database,
) -> None:
    await migrate.upgrade(empty.engine, BEFORE)
    connection = await connect(empty.url)
    await store(connection, b"e" * DIGEST_BYTES, id=LONG_AGO)
    await store(connection, EARLIER_KEY)

    await migrate.upgrade(empty.engine, AFTER)

    assert await column(connection, KEYS) == [b"e" * DIGEST_BYTES, PRESENT_KEY]
    assert not await store(connection, PRESENT_KEY)
    assert not await store(connection, EARLIER_KEY)
    await connection.close()


async def test_a_push_from_the_future_that_was_stored_a_moment_before_gets_the_key_of_its_time(
    empty: Database,
) -> None:
    await migrate.upgrade(empty.engine, BEFORE)
    connection = await connect(empty.url)
    await store_ahead(connection, EARLIER_KEY, datetime.now(UTC), int(AT.timestamp()))

    await migrate.upgrade(empty.engine, AFTER)

    assert await column(connection, KEYS) == [PRESENT_KEY]
    await connection.close()


async def test_what_a_spool_holds_that_was_committed_long_before_is_a_duplicate(
    empty: Database,
) -> None:
    await migrate.upgrade(empty.engine, BEFORE)
    connection = await connect(empty.url)
    await store(connection, EARLIER_KEY, id=LONG_AGO)

    await migrate.upgrade(empty.engine, AFTER)

    assert not await store(connection, EARLIER_KEY, id=LONG_AGO)
    assert await column(connection, KEYS) == [EARLIER_KEY]
    await connection.close()


async def test_an_earlier_key_is_looked_up_by_itself_in_a_session_that_began_with_an_empty_table(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute(MANY, APPID, 2000)
    before = await entries_read(connection)

    await connection.execute(MANY, APPID, 100)

    assert await entries_read(connection) == before


@pytest.mark.parametrize(
    ("at", "time"),
    [
        (datetime(1969, 12, 31, tzinfo=UTC), b"\0\0\0\0"),
        (datetime(1970, 1, 1, tzinfo=UTC), b"\0\0\0\0"),
        (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), b"\x80\0\0\0"),
        (datetime(2300, 1, 1, tzinfo=UTC), b"\xff\xff\xff\xff"),
    ],
)
async def test_the_time_of_any_push_fits(
    connection: asyncpg.Connection, at: datetime, time: bytes
) -> None:
    await store(connection, EARLIER_KEY, at)

    assert await column(connection, KEYS) == [time + EARLIER_KEY]


async def test_on_the_way_back_a_push_stays_known(
    database: Database, connection: asyncpg.Connection
) -> None:
    await store(connection, PRESENT_KEY)
    script = ScriptDirectory(str(migrate.MIGRATIONS)).get_revision(KEYS_BEGIN_WITH_A_TIME)

    def go_back(engine: Connection) -> None:
        with Operations.context(MigrationContext.configure(engine)):
            script.module.downgrade()

    async with database.engine.begin() as engine:
        await engine.run_sync(go_back)

    assert not await store(connection, EARLIER_KEY)
    assert await column(connection, KEYS) == [EARLIER_KEY]
