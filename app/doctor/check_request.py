"""Asks for a check by a worker, for `/api/doctor/check` and for the console."""

import math
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.doctor import store
from app.doctor.jobs import check_job
from app.doctor.prober import MIN_PAUSE


class CheckedLately(Exception):
    """WeChat was asked a moment ago. wait: after so many seconds it may be asked again."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"WeChat was asked a moment ago: try again in {wait} s")
        self.wait = wait


async def request_check(session: AsyncSession, now: datetime) -> None:
    """Let a worker ask WeChat soon. Raises CheckedLately."""
    before = await store.last_run(session)
    if before is not None and now - before < MIN_PAUSE:
        raise CheckedLately(math.ceil((MIN_PAUSE - (now - before)).total_seconds()))
    await enqueue(session, [check_job()])
