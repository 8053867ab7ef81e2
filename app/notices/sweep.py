"""What the sweep of every minute does with notices."""

import structlog

from app.clock import Clock
from app.db.engine import SessionFactory
from app.notices import request_store, send_store, store

log = structlog.get_logger()


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """End notices whose worker died, enqueue missing jobs, and forget old idempotency keys."""
    now = clock.now()
    async with sessions.begin() as session:
        ended = await store.end_cut_off(session, now)
        await request_store.forget_keys(session, now)
    if ended:
        log.warning("notices.cut_off", count=ended)
    async with sessions.begin() as session:
        await send_store.enqueue_missing(session)
