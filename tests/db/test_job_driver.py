"""PgQueuer's access to the database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from app.db.engine import UNAVAILABLE_ERRORS
from app.db.job_driver import JobDriver
from tests.waiting import PATIENCE_SECONDS, eventually

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

    await eventually(hears)
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


def _folder(url: str) -> str:
    return parse_qs(urlsplit(url).query)["host"][0]


def _at_folder(url: str, folder: Path) -> str:
    return url.replace(_folder(url), str(folder))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
    """Carry bytes both ways between a client and Postgres until one of them ends."""
    from_server, to_server = await asyncio.open_unix_connection(f"{_folder(url)}/.s.PGSQL.5432")

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    await asyncio.gather(copy(reader, to_server), copy(from_server, writer))


async def test_terminate_ends_a_statement_whose_connection_nobody_accepts(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.job_driver.CONNECT_TIMEOUT_SECONDS", 3600)
    accepted: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        if len(accepted) == 1:
            await _carry(reader, writer, database_url)

    silent = await asyncio.start_unix_server(accept, tmp_path / ".s.PGSQL.5432")
    driver = JobDriver(_at_folder(database_url, tmp_path), answer_seconds=3600)
    await driver.open()
    busy = asyncio.create_task(driver.fetch("SELECT pg_sleep(3600)"))
    waiting = asyncio.create_task(driver.fetch("SELECT 1"))
    await eventually(lambda: asyncio.sleep(0, len(accepted) == 2))

    driver.terminate()

    async with asyncio.timeout(PATIENCE_SECONDS):
        ended = await asyncio.gather(busy, waiting, return_exceptions=True)
    assert [isinstance(error, UNAVAILABLE_ERRORS) for error in ended] == [True, True]
    for writer in accepted:
        writer.close()
    await driver.close()
    silent.close()
