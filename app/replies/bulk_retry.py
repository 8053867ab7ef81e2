"""Sends many replies again: `start` writes down which, and a job queues them one by one.

Each reply has a row. The transaction that queues it writes its result into that row, so whichever
worker dies where, none is queued twice.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.replies.admin_store import may_be_sent_again, queue_again
from app.replies.jobs import retry_job
from app.replies.models import Reply, ReplyRetry, ReplyRetryItem, RetryResult

KEPT_FOR: Final = timedelta(days=30)
MAX_AT_ONCE: Final = 100
# Younger retries are left to the job that was enqueued with them.
SWEEP_AFTER: Final = timedelta(seconds=60)


async def run(sessions: SessionFactory, clock: Clock, retry_id: UUID) -> None:
    """Queue the replies of a retry again, each in a transaction of its own."""
    while True:
        async with sessions.begin() as session:
            if not await _retry_next(session, retry_id, clock.now()):
                await _end(session, retry_id, clock.now())
                return


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue missing jobs of retries, and delete up to MAX_AT_ONCE retries after KEPT_FOR."""
    now = clock.now()
    waiting = (
        select(ReplyRetry.id)
        .where(ReplyRetry.ended_at.is_(None), ReplyRetry.created_at < now - SWEEP_AFTER)
        .limit(MAX_AT_ONCE)
    )
    old = (
        select(ReplyRetry.id)
        .where(ReplyRetry.created_at < now - KEPT_FOR)
        .order_by(ReplyRetry.created_at)
        .limit(MAX_AT_ONCE)
    )
    async with sessions.begin() as session:
        await session.execute(
            delete(ReplyRetry)
            .where(ReplyRetry.id.in_(old))
            .execution_options(synchronize_session=False)
        )
        found = (await session.scalars(waiting)).all()
        await enqueue(session, [retry_job(retry_id) for retry_id in found])


async def _retry_next(session: AsyncSession, retry_id: UUID, now: datetime) -> bool:
    """Queue the next reply that no other worker is at; return False if there is none."""
    item = await session.scalar(
        select(ReplyRetryItem)
        .where(ReplyRetryItem.retry_id == retry_id, ReplyRetryItem.result.is_(None))
        .order_by(ReplyRetryItem.reply_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if item is None:
        return False
    reply = await session.get(Reply, item.reply_id, with_for_update=True)
    if reply is None or not may_be_sent_again(reply, now):
        item.result = RetryResult.REFUSED
        return True
    await queue_again(session, reply, in_bulk=True)
    item.result = RetryResult.QUEUED
    return True


async def _end(session: AsyncSession, retry_id: UUID, now: datetime) -> None:
    """Note the end of a retry, unless another worker is still at a reply of it."""
    left = select(ReplyRetryItem).where(
        ReplyRetryItem.retry_id == retry_id, ReplyRetryItem.result.is_(None)
    )
    await session.execute(
        update(ReplyRetry)
        .where(ReplyRetry.id == retry_id, ReplyRetry.ended_at.is_(None), ~left.exists())
        .values(ended_at=now)
    )
