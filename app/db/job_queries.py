"""PgQueuer's statements for a worker, which goes on when one of them fails.

PgQueuer ends the worker with the first statement that fails, and marks a job as failed for good
when its retry can't be written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

import asyncpg
import structlog
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import CronExpressionEntrypoint, Job, Schedule, TracebackRecord
from pgqueuer.domain.types import JOB_STATUS, JobId, QueueEntrypoint, QueueManagerId, ScheduleId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS
from app.db.job_driver import JobDriver
from app.db.job_turns import JobTurns

PAUSE_SECONDS: Final = 0.5
# A worker claims jobs so often at most. With a backlog each job that ends makes room for one
# more: a claim for each of them would cost more than the jobs, and those at hand last longer.
CLAIM_SECONDS: Final = 0.1
# A result that can't be written for so long is given up: the job is released, and runs again.
WRITE_SECONDS: Final = 60.0

T = TypeVar("T")

log = structlog.get_logger()

# The guard: another worker may have taken the job over meanwhile.
_RETRY: Final = """
WITH retry AS (
    UPDATE pgqueuer
    SET status = 'queued', execute_after = NOW() + $2::interval, attempts = attempts + 1,
        updated = NOW(), queue_manager_id = NULL
    WHERE id = $1::bigint AND status = 'picked' AND queue_manager_id = $4::uuid
    RETURNING id, entrypoint, priority
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority, traceback)
SELECT id, 'queued', entrypoint, priority, $3::jsonb FROM retry
"""

_RELEASE: Final = """
UPDATE pgqueuer SET status = 'queued', updated = NOW(), queue_manager_id = NULL
WHERE status = 'picked' AND queue_manager_id = $1::uuid AND NOT id = ANY($2::bigint[])
"""


class JobQueries(Queries):
    """Statements of one worker.

    turns: for the jobs in which accounts take turns. running: set it to the jobs that this worker
    runs, by id.
    """

    def __init__(self, driver: JobDriver, turns: JobTurns) -> None:
        super().__init__(driver)
        self._turns = turns
        self.running: Mapping[JobId, object] = {}
        self._job_driver = driver
        # Jobs that have ended and whose result is not written yet.
        self._ending: set[JobId] = set()
        self._failing = False
        self._next_claim_at = 0.0

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Claim jobs; return none while the database is unavailable.

        Waits until CLAIM_SECONDS have passed since the claim before.
        """
        await self._until_next_claim()
        self._job_driver.looks_for_jobs()
        try:
            if self._failing:
                # Jobs of a claim whose answer was lost are run by nobody.
                await self._release(queue_manager_id)
            jobs = [
                *await self._turns.claim(
                    self._job_driver, self.running, queue_manager_id, heartbeat_timeout
                ),
                *await super().dequeue(
                    batch_size,
                    {
                        name: limits
                        for name, limits in entrypoints.items()
                        if name != self._turns.name
                    },
                    queue_manager_id,
                    global_concurrency_limit,
                    heartbeat_timeout,
                ),
            ]
        except UNAVAILABLE_ERRORS as error:
            if _is_defect(error):
                raise
            if not self._failing:
                log.warning(
                    "worker.database_away", error=type(error).__name__, reason=describe(error)
                )
            self._failing = True
            await asyncio.sleep(PAUSE_SECONDS)
            return []
        if self._failing:
            self._failing = False
            log.info("worker.database_back")
        # The database claims the most urgent, but returns them in any order.
        return sorted(jobs, key=lambda job: (-job.priority, job.id))

    async def _until_next_claim(self) -> None:
        loop = asyncio.get_running_loop()
        wait = self._next_claim_at - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        self._next_claim_at = loop.time() + CLAIM_SECONDS

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """Return how many jobs are due. While the database is unavailable, look again soon."""
        if self._failing:
            return 1
        return await _or(1, self._queued(super().eligible_queued_work, entrypoints, due=True))

    async def next_deferred_eta(self, entrypoints: list[QueueEntrypoint]) -> timedelta | None:
        """Return when the next job is due; at once while the database is unavailable."""
        return await _or(timedelta(0), super().next_deferred_eta(entrypoints))

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """Return how many jobs are queued; 1 while the database is unavailable."""
        return await _or(1, self._queued(super().queued_work, entrypoints, due=False))

    async def _queued(
        self,
        count: Callable[[list[QueueEntrypoint]], Awaitable[int]],
        entrypoints: list[QueueEntrypoint],
        *,
        due: bool,
    ) -> int:
        others = [name for name in entrypoints if name != self._turns.name]
        if len(others) < len(entrypoints) and await self._turns.are_waiting(
            self._job_driver, due=due
        ):
            return 1
        return await count(others)

    async def retry_job(
        self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None
    ) -> None:
        """Queue a job again, as soon as the database is available."""
        traceback = None if traceback_record is None else traceback_record.model_dump_json()

        async def write() -> None:
            await self.driver.execute(_RETRY, job.id, delay, traceback, job.queue_manager_id)

        self._ending.add(job.id)
        try:
            await self._until_written(write)
        except UNAVAILABLE_ERRORS as error:
            # It stays claimed and is taken over like a dead worker's.
            log.warning("worker.retry_not_written", job_id=job.id, error=type(error).__name__)
        finally:
            self._ending.discard(job.id)

    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        """Record how jobs ended, as soon as the database is available."""
        ids = {job.id for job, _, _ in job_status}
        write = super().log_jobs
        self._ending |= ids
        try:
            await self._until_written(lambda: write(job_status))
        finally:
            self._ending -= ids

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        """Tell that jobs still run. A heartbeat that is lost is followed by others."""
        await _or(None, super().update_heartbeat(job_ids))

    async def fetch_schedule(
        self, entrypoints: dict[CronExpressionEntrypoint, timedelta]
    ) -> list[Schedule]:
        """Claim due schedules; none while the database is unavailable."""
        return await _or([], super().fetch_schedule(entrypoints))

    async def set_schedule_queued(self, ids: set[ScheduleId]) -> None:
        """Release schedules. One that stays claimed runs again after 30 seconds."""
        write = super().set_schedule_queued
        with suppress(*UNAVAILABLE_ERRORS):
            await self._until_written(lambda: write(ids))

    async def update_schedule_heartbeat(self, ids: set[ScheduleId]) -> None:
        """Tell that schedules still run. A heartbeat that is lost is followed by others."""
        await _or(None, super().update_schedule_heartbeat(ids))

    async def _release(self, queue_manager_id: QueueManagerId) -> None:
        known = [*self.running, *self._ending]
        await self.driver.execute(_RELEASE, queue_manager_id, known)

    async def _until_written(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat a write until it succeeds. Raises its error after WRITE_SECONDS or once closed."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + WRITE_SECONDS
        while True:
            try:
                return await write()
            except UNAVAILABLE_ERRORS as error:
                if _is_defect(error) or self._job_driver.closed or loop.time() > ends_at:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)


async def _or(default: T, result: Awaitable[T]) -> T:
    try:
        return await result
    except UNAVAILABLE_ERRORS as error:
        if _is_defect(error):
            raise
        return default


def _is_defect(error: BaseException) -> bool:
    """Tell whether an error is that of a statement or the schema, which no repetition corrects."""
    return isinstance(
        error,
        asyncpg.SyntaxOrAccessError | asyncpg.DataError | asyncpg.IntegrityConstraintViolationError,
    )
