"""The scheduled job that expires and requeues replies, and enqueues missing jobs."""

from collections import Counter
from collections.abc import Iterable

import structlog

from app import metrics
from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.replies import store
from app.replies.expire import ExpiredReply, expire_overdue
from app.replies.jobs import deliver_job
from app.replies.models import ReplyStatus

log = structlog.get_logger()


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Expire, requeue and enqueue replies. Several workers may run this at the same time."""
    now = clock.now()
    async with sessions.begin() as session:
        expired = await expire_overdue(session, now)
        await store.requeue_held(session, now)
    _report(expired)
    async with sessions.begin() as session:
        callbacks = await store.callbacks_without_job(session, now)
        await enqueue(session, [deliver_job(callback_id) for callback_id in callbacks])


async def requeue_urgent(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the jobs of replies that expire soon and wait. A job that exists is not added."""
    async with sessions.begin() as session:
        callbacks = await store.urgent_callbacks(session, clock.now())
        jobs = [deliver_job(callback_id, urgent=True) for callback_id in callbacks]
        await enqueue(session, jobs)


def _report(expired: Iterable[ExpiredReply]) -> None:
    found = list(expired)
    for one in found:
        metrics.SENDS.labels(one.msgtype, ReplyStatus.EXPIRED.value).inc()
    for appid, replies in sorted(Counter(one.appid for one in found).items()):
        # Each row says why; of a thousand there is one line.
        log.warning(
            "replies.expired",
            appid=appid,
            callback_id=None,
            replies=replies,
            errmsg="their send window ended before they were sent",
        )
