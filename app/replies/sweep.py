"""The scheduled job that expires and requeues replies, and enqueues missing jobs."""

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.replies import store
from app.replies.expire import expire_overdue
from app.replies.expiry_report import report
from app.replies.jobs import deliver_job
from app.replies.send_windows import Limits


async def sweep(sessions: SessionFactory, clock: Clock, limits: Limits) -> None:
    """Expire, requeue and enqueue replies. Several workers may run this at the same time."""
    now = clock.now()
    async with sessions.begin() as session:
        expired = await expire_overdue(session, now)
        await store.requeue_held(session, now, limits)
    report(expired)
    async with sessions.begin() as session:
        callbacks = await store.callbacks_without_job(session, now)
        await enqueue(session, [deliver_job(*callback) for callback in callbacks])


async def requeue_urgent(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the jobs of replies that expire soon and wait. A job that exists is not added."""
    async with sessions.begin() as session:
        callbacks = await store.urgent_callbacks(session, clock.now())
        jobs = [deliver_job(*callback, urgent=True) for callback in callbacks]
        await enqueue(session, jobs)
