"""Runs a job and decides what an error of it means: the job runs again, or is held.

No message of an error is kept: PgQueuer logs and stores it, and a driver's message quotes values.
"""

import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import structlog
from pgqueuer.core.executors import EntrypointExecutor
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app import tracing
from app.db.engine import UNAVAILABLE_ERRORS
from app.db.queue import TRACE

MAX_ATTEMPTS: Final = 5
FIRST_DELAY: Final = timedelta(seconds=1)
MAX_DELAY: Final = timedelta(minutes=5)
UNAVAILABLE_DELAY: Final = timedelta(seconds=1)

# Classes of Postgres errors with which another try may succeed: connection, transaction, login, no
# such database, lost race, resources, object in use, operator, system.
_TEMPORARY: Final = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58"})

log = structlog.get_logger()


class JobFailed(Exception):
    """A job failed for good. Its message is the type of the error only."""


@dataclass
class JobExecutor(EntrypointExecutor):
    """Runs one kind of job.

    While the database is unavailable, a job runs again every second without end. Any other error
    is tried again MAX_ATTEMPTS times with growing delays; then the job is held for an operator.
    """

    async def execute(self, job: Job, context: Context) -> None:
        """Run a job, in the trace that enqueued it. Raises RetryRequested or JobFailed."""
        with tracing.trace_of(job.entrypoint, (job.headers or {}).get(TRACE)):
            await self._execute(job, context)

    async def _execute(self, job: Job, context: Context) -> None:
        try:
            await super().execute(job, context)
        except RetryRequested:
            raise
        except Exception as error:  # noqa: BLE001 - outermost: a job must not end the worker
            kind = type(error).__name__
            if is_unavailable(error):
                raise RetryRequested(UNAVAILABLE_DELAY, kind) from None
            held = job.attempts >= MAX_ATTEMPTS
            log.error(
                "worker.job_failed",
                entrypoint=job.entrypoint,
                job_id=job.id,
                attempts=job.attempts + 1,
                held=held,
                error=kind,
                where="".join(traceback.format_tb(error.__traceback__)),
            )
            if held:
                raise JobFailed(kind) from None
            delay = min(FIRST_DELAY * 2**job.attempts, MAX_DELAY)
            raise RetryRequested(delay, kind) from None


def is_unavailable(error: Exception) -> bool:
    """Return whether an error says that the database is unavailable, and nothing about the job."""
    if isinstance(error, PoolTimeoutError):
        return True
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in _TEMPORARY
    # SQLAlchemy wraps the driver's errors in its own, which have the original as their cause.
    cause = getattr(original, "__cause__", None)
    return isinstance(original, UNAVAILABLE_ERRORS) or (
        isinstance(cause, UNAVAILABLE_ERRORS) and not isinstance(cause, asyncpg.PostgresError)
    )
