"""Calls that wait: what workers do about them, and learn of each other."""

from datetime import timedelta
from uuid import UUID

from app.replies.errors import TryLater
from app.worker import Jobs
from tests.replies.makers import deliver


async def attempt(jobs: Jobs, callback: UUID) -> timedelta | None:
    """Run a job; return after which time it wants to run again."""
    try:
        await deliver(jobs, callback)
    except TryLater as later:
        return later.delay
    return None


async def learn(*workers: Jobs) -> None:
    """Let what one worker met be written, and read by the others."""
    for jobs in workers:
        await jobs.tokens.problems.store()
    for jobs in workers:
        await jobs.tokens.problems.read_pauses()
