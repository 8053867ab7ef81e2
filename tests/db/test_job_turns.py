"""Accounts take turns at the jobs of one name."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from pgqueuer.domain.types import JobId, QueueManagerId

from app.db.job_driver import JobDriver
from app.db.job_turns import JobTurns, account_of
from app.db.queue import NewJob, enqueue_on

NAME = "replies.deliver"
A, B, C = "wxa", "wxb", "wxc"
STALE_AFTER = timedelta(seconds=10)


class Worker:
    """One worker's claims; the jobs that it was given run until they are ended."""

    def __init__(
        self,
        driver: JobDriver,
        *,
        slots: int,
        most: int = 100,
        paused: Collection[str] = (),
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self._driver = driver
        self._id = QueueManagerId(uuid4())
        self.turns = JobTurns(
            NAME, slots=slots, most=most, paused=lambda: paused, limits=lambda: limits or {}
        )
        self.running: dict[JobId, str] = {}

    async def claim(self) -> list[str]:
        """Claim jobs; return their accounts, sorted."""
        jobs = await self.turns.claim(self._driver, self.running, self._id, STALE_AFTER)
        self.running |= {job.id: account_of(job) for job in jobs}
        return sorted(account_of(job) for job in jobs)

    def end(self, account: str) -> None:
        """End one job of an account."""
        del self.running[next(id for id, of in self.running.items() if of == account)]


@pytest.fixture
async def driver(database_url: str) -> AsyncIterator[JobDriver]:
    opened = JobDriver(database_url, answer_seconds=10)
    await opened.open()
    yield opened
    await opened.close()


def jobs(account: str | None, count: int = 1, *, priority: int = 0) -> Sequence[NewJob]:
    return [NewJob(NAME, {}, account=account, priority=priority) for _ in range(count)]


async def queue(connection: asyncpg.Connection, *jobs: Sequence[NewJob]) -> None:
    async with connection.transaction():
        await enqueue_on(connection, [job for some in jobs for job in some])


async def test_a_backlog_leaves_room_for_the_account_that_comes_last(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 300), jobs(B))
    worker = Worker(driver, slots=10)

    assert await worker.claim() == [A] * 5 + [B]
    assert await worker.claim() == [A] * 4
    assert await worker.claim() == []


async def test_the_next_free_slot_is_of_the_account_with_the_fewest(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 300))
    worker = Worker(driver, slots=10)
    await worker.claim()
    await queue(connection, jobs(B, 2))

    worker.end(A)
    assert await worker.claim() == [B]
    worker.end(A)
    assert await worker.claim() == [B]
    worker.end(A)
    assert await worker.claim() == [A]


async def test_with_fewer_slots_than_accounts_the_slots_go_round(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 5), jobs(B, 5), jobs(C, 5))
    worker = Worker(driver, slots=1)
    order = []
    for _ in range(6):
        order += await worker.claim()
        worker.end(order[-1])

    assert order == [A, B, C] * 2


async def test_urgent_jobs_come_first(connection: asyncpg.Connection, driver: JobDriver) -> None:
    await queue(connection, jobs(A, 5), jobs(B, 1), jobs(B, 1, priority=1))
    worker = Worker(driver, slots=1)

    assert await worker.claim() == [B]
    assert await connection.fetchval("SELECT priority FROM pgqueuer WHERE status = 'picked'") == 1


async def test_one_account_never_has_all_slots(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 20))
    worker = Worker(driver, slots=10, most=6)

    assert await worker.claim() == [A] * 6
    assert await worker.claim() == []


async def test_of_an_account_with_a_rate_no_more_are_claimed_than_may_go_out_soon(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 20), jobs(B, 4), jobs(A, 1, priority=1))
    worker = Worker(driver, slots=10, most=8, limits={A: 2, C: 1})

    assert await worker.claim() == [A] * 2 + [B] * 4
    assert await worker.claim() == []
    assert await connection.fetchval("SELECT max(priority) FROM pgqueuer WHERE status <> 'queued'")
    worker.end(A)
    assert await worker.claim() == [A]
    assert await Worker(driver, slots=10, most=8, limits={A: 99}).claim() == [A] * 8


async def test_jobs_of_a_paused_account_are_left_alone(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 20))
    worker = Worker(driver, slots=10, paused=[A])
    assert not await worker.turns.are_waiting(driver, due=True)
    assert not await worker.turns.are_waiting(driver, due=False)

    await queue(connection, jobs(B))

    assert await worker.turns.are_waiting(driver, due=True)
    assert await worker.claim() == [B]


async def test_a_job_waits_for_its_time(connection: asyncpg.Connection, driver: JobDriver) -> None:
    await queue(connection, [NewJob(NAME, {}, account=A, delay=timedelta(hours=1))])
    worker = Worker(driver, slots=10)

    assert await worker.claim() == []
    assert not await worker.turns.are_waiting(driver, due=True)
    assert await worker.turns.are_waiting(driver, due=False)


async def test_a_job_of_an_older_version_is_claimed(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(None))

    assert await Worker(driver, slots=1).claim() == [""]


async def test_the_job_of_a_dead_worker_is_taken_over_once_its_heartbeat_is_old(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A))
    await Worker(driver, slots=1).claim()
    other = Worker(driver, slots=1)
    assert await other.claim() == []

    await connection.execute("UPDATE pgqueuer SET heartbeat = now() - interval '11 seconds'")

    assert await other.claim() == [A]


async def test_workers_that_claim_at_once_share_the_jobs(
    connection: asyncpg.Connection, driver: JobDriver
) -> None:
    await queue(connection, jobs(A, 40), jobs(B, 40))
    workers = [Worker(driver, slots=10) for _ in range(4)]

    for _ in range(3):
        await asyncio.gather(*(worker.claim() for worker in workers))

    claimed = [job for worker in workers for job in worker.running]
    owners: list[UUID] = [
        row[0]
        for row in await connection.fetch(
            "SELECT queue_manager_id FROM pgqueuer WHERE status = 'picked'"
        )
    ]
    assert len(claimed) == len(set(claimed)) == len(owners) == 40
