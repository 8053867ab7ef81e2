"""Queues the notices of an audience, chunk by chunk, until all stand in their table."""

from datetime import datetime
from uuid import UUID

from app.clock import Clock
from app.db.engine import SessionFactory
from app.notices import audience, queue_lock, send_store
from app.notices.models import NoticeSend, SendState


async def queue_audience(sessions: SessionFactory, clock: Clock, send_id: UUID, appid: str) -> None:
    """Queue what is not queued yet; stop early if the send is paused or stopped."""
    while await _queue_some(sessions, clock, send_id, appid):
        pass


async def _queue_some(sessions: SessionFactory, clock: Clock, send_id: UUID, appid: str) -> bool:
    """Queue one chunk; return whether there is more to queue."""
    async with sessions.begin() as session:
        await queue_lock.lock_shared(session, appid)
        send = await send_store.locked(session, send_id)
        if send is None or send.state is not SendState.RUNNING or send.queued_at is not None:
            return False
        # Of a time after the lock: an erasure takes what was there up to its own.
        now = clock.now()
        chunk = await audience.queue_chunk(session, send, now)
        send.total += chunk.queued
        send.cursor = chunk.cursor
        if chunk.is_last:
            _end(send, now)
        return not chunk.is_last


def _end(send: NoticeSend, now: datetime) -> None:
    """Note that all notices stand in their table; who was meant is not needed any more."""
    send.queued_at, send.cursor = now, None
    send_store.forget_listed(send)
