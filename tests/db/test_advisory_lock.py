"""Locks of all processes: outside the pool, given back by who dies, not waited for too long."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.db import advisory_lock
from app.db.advisory_lock import LockLost, LockTaken, try_hold
from app.db.engine import Database, open_database
from tests.waiting import PATIENCE_SECONDS, eventually

# Longer than these tests wait: who waits for a lock to the end would go on, too.
UNENDING_SECONDS = 10 * PATIENCE_SECONDS


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    """Another process."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def backends(connection: asyncpg.Connection) -> int:
    number: int = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND application_name = 'oa-bridge'"
    )
    return number


async def cut(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_hundred_locks_take_one_connection(
    database: Database, connection: asyncpg.Connection
) -> None:
    inside: set[int] = set()
    all_in = asyncio.Event()

    async def work(number: int) -> None:
        async with database.locks.hold(f"lock {number}"):
            inside.add(number)
            if len(inside) == 100:
                all_in.set()
            await all_in.wait()

    await asyncio.gather(*(work(number) for number in range(100)))

    assert await backends(connection) == 1


async def test_one_at_a_time_in_one_process_and_in_two(database: Database, other: Database) -> None:
    inside = 0

    async def work(each: Database) -> None:
        nonlocal inside
        async with each.locks.hold("lock"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(work(each) for _ in range(5) for each in (database, other)))


async def test_a_process_of_an_earlier_version_is_kept_out_and_keeps_out(
    database: Database, connection: asyncpg.Connection
) -> None:
    """It holds the same lock, on a connection of its pool."""
    lock = "hashtextextended('oa_bridge.access_token.wx1', 0)"
    async with database.locks.hold("oa_bridge.access_token.wx1"):
        assert not await connection.fetchval(f"SELECT pg_try_advisory_lock({lock})")
    assert await connection.fetchval(f"SELECT pg_try_advisory_lock({lock})")
    held = asyncio.Event()

    async def work() -> None:
        async with database.locks.hold("oa_bridge.access_token.wx1"):
            held.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    assert not held.is_set()
    await connection.execute(f"SELECT pg_advisory_unlock({lock})")
    await task


async def test_a_holder_that_is_cut_off_gives_the_lock_back(
    database: Database,
    other: Database,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(advisory_lock, "PATIENCE_SECONDS", UNENDING_SECONDS)
    async with database.locks.hold("lock"):
        await cut(connection)
        async with asyncio.timeout(PATIENCE_SECONDS), other.locks.hold("lock"):
            pass
        async with asyncio.timeout(PATIENCE_SECONDS), database.locks.hold("another"):
            pass


async def test_a_holder_that_never_ends_is_waited_for_no_longer_than_a_call_takes(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisory_lock, "PATIENCE_SECONDS", 0.2)
    async with (
        database.locks.hold("lock"),
        asyncio.timeout(PATIENCE_SECONDS),
        other.locks.hold("lock"),
    ):
        pass
    async with asyncio.timeout(PATIENCE_SECONDS), other.locks.hold("lock"):
        pass


async def test_without_the_database_the_block_runs_all_the_same() -> None:
    """What it does next tells that the database is not there; a lock alone stops nobody."""
    away = open_database("postgresql://nobody@127.0.0.1:1/none")
    ran = False
    async with away.locks.hold("lock"):
        ran = True

    assert ran


async def test_who_is_cancelled_while_waiting_leaves_nothing_behind(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisory_lock, "PATIENCE_SECONDS", UNENDING_SECONDS)
    async with database.locks.hold("lock"):
        waiting = [asyncio.create_task(_hold(other, "lock")) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await _hold(other, "lock")
        await _hold(database, "lock")


async def _hold(database: Database, name: str) -> None:
    async with database.locks.hold(name):
        pass


async def test_a_lock_of_its_own_is_refused_while_taken_and_lost_with_its_connection(
    database: Database, other: Database, connection: asyncpg.Connection
) -> None:
    async with try_hold(database.connect, "sync") as lock:
        await lock.confirm()
        with pytest.raises(LockTaken):
            async with try_hold(other.connect, "sync"):
                pass
        await cut(connection)
        with pytest.raises(LockLost):
            await lock.confirm()
        async with try_hold(other.connect, "sync"):
            pass


async def test_closing_the_database_closes_the_connection_of_the_locks(
    database: Database, connection: asyncpg.Connection
) -> None:
    await _hold(database, "lock")
    await database.close()

    async def gone() -> bool:
        return await backends(connection) == 0

    await eventually(gone)
