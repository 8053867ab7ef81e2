"""A reader sees every row once, whatever commits while it reads."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from app.db.engine import Database, connect
from app.events import store
from app.events.cursor import Cursor
from app.events.query import FOLLOW_EVENTS, ListQuery
from tests.service import APPID, OPENID, Service, event

INSERT = (
    "INSERT INTO follow_events (id, callback_id, appid, openid, action, occurred_at) "
    "VALUES ($1, $1, $2, 'oPERSON', 'follow', now()) RETURNING position"
)
WRITERS = 4
EACH = 60


async def read(database: Database, after: Cursor | None) -> tuple[list[UUID], Cursor | None]:
    async with database.sessions.begin() as session:
        page = await store.page(session, FOLLOW_EVENTS, ListQuery(limit=7, after=after))
    return [row.id for row in page.rows], page.later


async def test_a_slow_commit_never_appears_behind_a_reader(
    database: Database, database_url: str, connection: asyncpg.Connection
) -> None:
    slow = await connect(database_url)
    transaction = slow.transaction()
    await transaction.start()
    first, second = uuid7(), uuid7()
    low = await slow.fetchval(INSERT, first, APPID)
    high = await connection.fetchval(INSERT, second, APPID)

    before, place = await read(database, None)
    await transaction.commit()
    after, _ = await read(database, place)
    await slow.close()

    assert low < high
    assert before == []
    assert after == [first, second]


async def test_a_writer_that_claims_a_position_late_takes_no_reader_back(
    database: Database, database_url: str, connection: asyncpg.Connection
) -> None:
    stored = [uuid7() for _ in range(3)]
    for event_id in stored:
        await connection.execute(INSERT, event_id, APPID)
    found, place = await read(database, None)
    slow = await connect(database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT pg_advisory_xact_lock_shared((20289::bigint << 48) | 1)")

    meanwhile, place = await read(database, place)
    await transaction.rollback()
    await slow.close()
    afterwards, _ = await read(database, place)

    assert (found, meanwhile, afterwards) == (stored, [], [])


@pytest.mark.parametrize("end", ["rollback", "crash"])
async def test_a_writer_that_gives_up_holds_readers_up_no_longer(
    database: Database, database_url: str, connection: asyncpg.Connection, end: str
) -> None:
    slow = await connect(database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, uuid7(), APPID)
    stored = uuid7()
    await connection.execute(INSERT, stored, APPID)

    if end == "rollback":
        await transaction.rollback()
        await slow.close()
    else:
        process = slow.get_server_pid()
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", process)
        slow.terminate()

    assert (await read(database, None))[0] == [stored]


async def test_what_else_the_database_is_busy_with_holds_no_reader_up(
    database: Database, database_url: str, connection: asyncpg.Connection
) -> None:
    busy = await connect(database_url)
    transaction = busy.transaction()
    await transaction.start()
    await busy.execute("UPDATE rules_version SET version = version + 1")
    stored = uuid7()
    await connection.execute(INSERT, stored, APPID)

    found, _ = await read(database, None)
    await transaction.rollback()
    await busy.close()

    assert found == [stored]


async def test_a_reader_that_follows_many_writers_gets_every_row_once(
    database: Database, database_url: str, connection: asyncpg.Connection
) -> None:
    looked = asyncio.Condition()
    writing = asyncio.gather(*(write(database_url, number, looked) for number in range(WRITERS)))
    seen: list[UUID] = []
    found: list[UUID] = []
    place: Cursor | None = None
    while not writing.done() or len(found) > 0:
        found, place = await read(database, place)
        seen += found
        async with looked:
            looked.notify_all()
    await writing

    stored = await connection.fetch("SELECT id FROM follow_events ORDER BY position")
    assert seen == [row["id"] for row in stored]
    assert len(seen) == WRITERS * EACH


async def write(database_url: str, number: int, looked: asyncio.Condition) -> None:
    """Commit several rows a time; some writers let the reader look while theirs are open."""
    writer = await connect(database_url)
    for turn in range(EACH // 3):
        async with writer.transaction():
            for row in range(3):
                await writer.execute(INSERT, uuid7(), f"wx{(turn + row) % 3}")
                if (turn + row) % WRITERS == number:
                    async with looked:
                        await looked.wait()
    await writer.close()


async def test_a_reading_by_time_is_of_the_moment_of_its_first_page(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "unsubscribe"))
    wanted: dict[str, Any] = {"from": "2020-01-01T00:00:00Z", "limit": 1}

    first = await service.read("follow-events", **wanted)
    late = event(service.clock, "SCAN", EventKey="7") | {"CreateTime": service.clock.seconds - 60}
    await service.push(late)
    second = await service.read("follow-events", after=first["next"], **wanted)
    anew = await service.read("follow-events", **wanted)

    assert [one["action"] for one in first["items"] + second["items"]] == ["follow", "unfollow"]
    assert second["next"] is None
    assert [(one["action"], one["openid"]) for one in anew["items"]] == [("scan", OPENID)]
