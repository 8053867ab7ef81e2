"""How often a worker looks for jobs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from pgqueuer.domain.models import Job
from pgqueuer.domain.types import QueueManagerId

from app.db.job_driver import JobDriver
from app.db.job_queries import CLAIM_SECONDS, JobQueries
from app.db.job_turns import JobTurns
from app.db.queue import NewJob, enqueue_on

NAME = "replies.deliver"
WORKER = QueueManagerId(uuid4())


class Worker:
    """A worker with room for two jobs. `waits`: how long it waited before it looked for some."""

    def __init__(self, driver: JobDriver, monkeypatch: pytest.MonkeyPatch) -> None:
        self._queries = JobQueries(driver, JobTurns(NAME, slots=2, most=2))
        self.waits: list[float] = []
        sleep = asyncio.sleep

        async def counted_sleep(seconds: float) -> None:
            self.waits.append(seconds)
            await sleep(seconds)

        monkeypatch.setattr("app.db.job_queries.asyncio.sleep", counted_sleep)

    async def look(self) -> list[Job]:
        """Claim jobs; those of before have ended."""
        return await self._queries.dequeue(50, {}, WORKER, None, timedelta(seconds=10))


@pytest.fixture
async def worker(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    driver = JobDriver(database_url, answer_seconds=10)
    await driver.open()
    yield Worker(driver, monkeypatch)
    await driver.close()


async def test_a_worker_with_a_backlog_does_not_look_for_each_job_by_itself(
    worker: Worker, connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await enqueue_on(connection, [NewJob(NAME, {}) for _ in range(5)])

    found = [len(await worker.look()) for _ in range(3)]

    assert found == [2, 2, 1]
    assert len(worker.waits) == 2
    assert all(0 < wait <= CLAIM_SECONDS for wait in worker.waits)


async def test_the_first_job_after_a_quiet_while_does_not_wait(
    worker: Worker, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worker.look()
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + CLAIM_SECONDS)
    async with connection.transaction():
        await enqueue_on(connection, [NewJob(NAME, {})])

    assert len(await worker.look()) == 1
    assert worker.waits == []
