"""The scheduled job that ends what is overdue and finds replies that no job attends to."""

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.replies import store
from app.replies.jobs import deliver_job


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Expire, wake and re-enqueue; safe to run at any time, by any number of workers."""
    now = clock.now()
    async with sessions.begin() as session:
        await store.expire_overdue(session, now)
        await store.wake_held(session, now)
    async with sessions.begin() as session:
        callbacks = await store.unattended(session, now)
        await enqueue(session, [deliver_job(callback_id) for callback_id in callbacks])
