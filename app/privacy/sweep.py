"""The minutely sweep: opens and resumes erasures, and replaces dedupe keys of finished ones."""

from datetime import timedelta
from typing import Final

from sqlalchemy import exists, or_, select

from app.db.queue import enqueue
from app.privacy.from_unionid import open_for_linked_openids
from app.privacy.jobs import check_job, erase_job
from app.privacy.models import Erasure, LatePush
from app.privacy.plan import Eraser

# An erasure that is younger has a job of its own.
SWEEP_AFTER = timedelta(minutes=1)
# The dedupe keys stay for this time: no copy of a push can arrive later than that.
UNLINK_AFTER = timedelta(days=1)
MAX_AT_ONCE: Final = 100
MAX_ENQUEUED: Final = 1000


async def sweep(eraser: Eraser) -> None:
    """Open erasures of linked OpenIDs, enqueue unfinished ones, and unlink finished ones."""
    now = eraser.clock.now()
    await open_for_linked_openids(eraser)
    async with eraser.sessions.begin() as session:
        waiting = await session.scalars(
            select(Erasure.id)
            .where(Erasure.finished_at.is_(None), Erasure.requested_at < now - SWEEP_AFTER)
            .where(Erasure.needs_person.is_(None))
            .where(or_(Erasure.waits_until.is_(None), Erasure.waits_until <= now))
            .order_by(Erasure.requested_at)
            .limit(MAX_ENQUEUED)
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
            .limit(MAX_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        for erasure in linked.all():
            for appid, pseudonym in erasure.erased:
                await eraser.inbox.unlink(session, appid, pseudonym)
            erasure.unlinked_at = now
