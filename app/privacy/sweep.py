"""What runs every minute: erasures that no job attends to, or are to be opened, dedupe keys, and
retention.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, or_, select

from app.db import erase as tracebacks
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.privacy.inbox import Inbox
from app.privacy.jobs import check_job, erase_job
from app.privacy.models import Erasure, LatePush
from app.privacy.plan import Eraser
from app.privacy.theirs import erase_theirs
from app.replies import erase as replies

# A job that exists needs no help within this time.
SWEEP_AFTER = timedelta(minutes=1)
# Longer than any copy of a push can be under way.
UNLINK_AFTER = timedelta(days=1)
MOST_AT_ONCE: Final = 100
MOST_RUNG: Final = 1000
RETENTION_BATCH: Final = 1000
# A run ends after so many batches; the next one is a minute away.
MOST_BATCHES: Final = 100


async def sweep(eraser: Eraser) -> None:
    """Open erasures of OpenIDs just found, ring for unfinished ones, unlink finished ones."""
    now = eraser.clock.now()
    await erase_theirs(eraser)
    async with eraser.sessions.begin() as session:
        waiting = await session.scalars(
            select(Erasure.id)
            .where(Erasure.finished_at.is_(None), Erasure.requested_at < now - SWEEP_AFTER)
            .where(or_(Erasure.waits_until.is_(None), Erasure.waits_until <= now))
            .order_by(Erasure.requested_at)
            .limit(MOST_RUNG)
        )
        jobs = [erase_job(erasure_id) for erasure_id in waiting]
        if await session.scalar(select(exists().select_from(LatePush))):
            jobs.append(check_job())
        await enqueue(session, jobs)
    async with eraser.sessions.begin() as session:
        linked = await session.scalars(
            select(Erasure)
            .where(Erasure.unlinked_at.is_(None), Erasure.finished_at < now - UNLINK_AFTER)
            .order_by(Erasure.finished_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        for erasure in linked.all():
            for appid, pseudonym in erasure.erased:
                await eraser.inbox.unlink(session, appid, pseudonym)
            erasure.unlinked_at = now


async def retain(sessions: SessionFactory, inbox: Inbox, before: datetime) -> int:
    """Clear payloads, contents and tracebacks from before then, in batches; return how many.

    Each batch is a transaction; rows that somebody works on are left to the next run.
    """
    cleared = 0
    for erase_older in (inbox.erase_older, replies.erase_older, tracebacks.erase_older):
        for _ in range(MOST_BATCHES):
            async with sessions.begin() as session:
                found = await erase_older(session, before, RETENTION_BATCH)
            cleared += found
            if found < RETENTION_BATCH:
                break
    return cleared
