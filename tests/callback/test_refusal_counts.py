"""Refused pushes are counted by account, reason and hour, over all processes."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg

from app.callback.refusal_counts import MAX_COUNTS, RefusalCounts, sweep
from app.db.background_store import background_store
from app.db.engine import Database, open_database
from tests.service import APPID, Json, Service, WorldClock, rows, running, settings_for

OTHER = "wx00000000000000aa"


async def counted(connection: asyncpg.Connection) -> list[Json]:
    return await rows(
        connection,
        "SELECT appid, reason, count FROM callback_refusals ORDER BY appid, reason, hour",
    )


async def test_the_endpoint_counts_without_a_query(
    service: Service, connection: asyncpg.Connection
) -> None:
    for _ in range(3):
        await service.http.post(f"/callback/{APPID}")
    await service.http.post(f"/callback/{OTHER}")
    assert await counted(connection) == []

    await service.app.state.refusals.store()

    assert await counted(connection) == [
        {"appid": "", "reason": "unknown_appid", "count": 1},
        {"appid": APPID, "reason": "not_encrypted", "count": 3},
    ]


async def test_processes_add_up_and_an_hour_is_a_row(
    database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    one, other = (RefusalCounts(database.sessions, clock) for _ in range(2))
    for reason in ("b", "a"):
        one.add(APPID, reason)
        other.add(APPID, reason)
    await asyncio.gather(one.store(), other.store())
    clock.advance(timedelta(hours=1))
    one.add(APPID, "a")
    await one.store()
    await one.store()

    assert [row["count"] for row in await counted(connection)] == [2, 1, 2]
    seen = await connection.fetchval("SELECT max(seen_at) FROM callback_refusals")
    assert seen == clock.now()


async def test_counts_wait_for_a_database_that_is_away(
    database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/nothing")
    counts = RefusalCounts(away.sessions, clock)
    counts.add(APPID, "a")
    await counts.store()
    counts.add(APPID, "a")
    counts._sessions = database.sessions

    await counts.store()

    assert await counted(connection) == [{"appid": APPID, "reason": "a", "count": 2}]


async def test_what_is_left_is_stored_at_the_end(
    database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    counts = RefusalCounts(database.sessions, clock)
    async with background_store(counts):
        counts.add(None, "bad_method")

    assert await counted(connection) == [{"appid": "", "reason": "bad_method", "count": 1}]


async def test_memory_is_bounded(database: Database, clock: WorldClock) -> None:
    counts = RefusalCounts(database.sessions, clock)
    for number in range(MAX_COUNTS + 10):
        counts.add(APPID, str(number))

    assert len(counts._counts) == MAX_COUNTS


async def test_earlier_weeks_are_deleted(
    database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    counts = RefusalCounts(database.sessions, clock)
    counts.add(APPID, "a")
    await counts.store()
    await sweep(database.sessions, clock)
    assert len(await counted(connection)) == 1

    clock.advance(timedelta(days=9))
    await sweep(database.sessions, clock)

    assert await counted(connection) == []


async def test_a_service_that_stops_loses_no_count(
    connection: asyncpg.Connection, database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    async with running(settings_for(database_url, tmp_path), clock) as service:
        await service.http.delete(f"/callback/{APPID}")

    assert [row["reason"] for row in await counted(connection)] == ["bad_method"]
