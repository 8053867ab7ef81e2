"""PgQueuer's access to the database."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.db.job_driver import JobDriver
from tests.waiting import eventually

CHANNEL = "ch_pgqueuer"
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
JOB = '{"type": "table_changed_event", "channel": "ch_pgqueuer"}'
PROBE = '{"type": "health_check_event", "channel": "ch_pgqueuer"}'


async def notify(connection: asyncpg.Connection, payload: str, times: int = 1) -> None:
    for _ in range(times):
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)


@pytest.fixture
async def driver(database_url: str) -> AsyncIterator[JobDriver]:
    opened = JobDriver(database_url, answer_seconds=1)
    await opened.open()
    yield opened
    await opened.close()


async def test_of_many_new_jobs_one_notification_is_kept_until_they_are_looked_for(
    driver: JobDriver, connection: asyncpg.Connection
) -> None:
    got: list[object] = []
    await driver.add_listener(CHANNEL, got.append)

    async def listens() -> bool:
        await notify(connection, PROBE)
        return PROBE in got

    await eventually(listens)
    await notify(connection, JOB, 500)
    await notify(connection, "not JSON")
    await eventually(lambda: asyncio.sleep(0, "not JSON" in got))
    first = got.count(JOB)

    driver.looks_for_jobs()
    await notify(connection, JOB, 500)
    await notify(connection, "[]")
    await eventually(lambda: asyncio.sleep(0, "[]" in got))

    assert (first, got.count(JOB)) == (1, 2)


async def test_it_listens_and_queries_again_after_its_connections_were_cut(
    driver: JobDriver, connection: asyncpg.Connection
) -> None:
    got: list[object] = []
    await driver.add_listener(CHANNEL, got.append)

    async def hears() -> bool:
        await notify(connection, PROBE)
        return bool(got)

    await eventually(hears)
    await connection.execute(CUT)
    got.clear()

    await eventually(hears, within=5)
    assert await driver.fetch("SELECT 1 AS one") == [{"one": 1}]


async def test_a_statement_that_hangs_costs_its_connection_and_no_more_time(
    driver: JobDriver,
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await driver.fetch("SELECT pg_sleep(30)")

    assert loop.time() - began < 5
    assert await driver.fetch("SELECT 1 AS one") == [{"one": 1}]
