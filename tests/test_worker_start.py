"""A worker says that it runs, and why it does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.db import worker_heartbeat
from app.db.diagnosis import NOT_MIGRATED
from app.db.engine import open_database
from app.worker import Jobs, Worker
from tests.refusing_postgres import refusing_postgres
from tests.service import WeChat, clock, column, jobs, jobs_of, settings, wechat
from tests.waiting import PATIENCE_SECONDS, eventually

__all__ = ["clock", "jobs", "settings", "wechat"]


@asynccontextmanager
async def working(jobs: Jobs) -> AsyncIterator[None]:
    worker = Worker(jobs)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


def are_seen(connection: asyncpg.Connection, count: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        with suppress(asyncpg.UndefinedTableError):
            return await seen(connection) == count
        return False

    return look


async def seen(connection: asyncpg.Connection) -> int:
    (count,) = await column(
        connection,
        "SELECT count(*) FROM worker_heartbeats WHERE seen_at > now() - interval '30 seconds'",
    )
    return int(count)


async def test_each_worker_is_seen_while_it_runs_and_keeps_its_row(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    async with working(jobs), working(jobs):
        await eventually(are_seen(connection, 2))

    assert await seen(connection) == 2


async def test_a_worker_is_seen_again_and_again(
    jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_heartbeat, "BEAT_SECONDS", 0.05)

    async def is_newer() -> bool:
        (later,) = await column(
            connection, "SELECT max(seen_at) > max(started_at) FROM worker_heartbeats"
        )
        return bool(later)

    async with working(jobs):
        await eventually(is_newer)

    assert await column(connection, "SELECT count(*) FROM worker_heartbeats") == [1]


async def test_workers_that_ended_long_ago_are_forgotten(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO worker_heartbeats SELECT gen_random_uuid(), now() - interval '3 hours', "
        "now() - interval '2 hours' + number * interval '1 second' "
        "FROM generate_series(1, 5) AS number"
    )

    async with working(jobs):
        await eventually(are_seen(connection, 1))

    # The one before stays until this worker has been seen longer.
    assert await column(connection, "SELECT count(*) FROM worker_heartbeats") == [2]


async def test_a_worker_waits_for_the_migration_and_says_so_once(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    (revision,) = await column(connection, "DELETE FROM alembic_version RETURNING version_num")

    with capture_logs() as logs:
        async with working(jobs):
            await eventually(lambda: asyncio.sleep(0, bool(interruptions(logs))))
            await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)
            await eventually(are_seen(connection, 1))

    assert interruptions(logs) == [NOT_MIGRATED]


@pytest.mark.parametrize(
    ("code", "said"), [("28P01", "user and password of DATABASE_URL"), ("3D000", "does not exist")]
)
async def test_a_worker_says_what_is_wrong_with_the_database_url(
    jobs: Jobs, wechat: WeChat, code: str, said: str
) -> None:
    with refusing_postgres(code, "no") as url, capture_logs() as logs:
        database = open_database(url)
        settings = jobs.settings.model_copy(update={"database_url": url})
        async with working(jobs_of(settings, database, wechat)):
            await eventually(lambda: asyncio.sleep(0, bool(interruptions(logs))))
        await database.close()

    (reason,) = interruptions(logs)
    assert said in reason


def interruptions(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["reason"] for line in logs if line["event"] == "worker.interrupted"]
