"""Enqueues a job for each receiver who is to be told something.

It reads from the tables what is to be told, so a job that is lost or enqueued twice does no harm.
"""

from app.alarms.delivery_store import receivers_with_due
from app.alarms.jobs import send_job
from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue


async def dispatch(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the jobs of the receivers who are to be told something now."""
    async with sessions.begin() as session:
        receivers = await receivers_with_due(session, clock.now())
        await enqueue(session, [send_job(receiver_id) for receiver_id in receivers])
