"""What the sweep of every minute does with imports of the console."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.first_id import first_id
from app.rules.importing.import_store import EXPIRES_AFTER, PREVIEWED, expire
from app.rules.importing.jobs import import_job
from app.rules.importing.models import ImportState, RuleImport
from app.rules.importing.work_store import WORKING

KEPT_FOR: Final = timedelta(days=30)
SWEEP_LIMIT: Final = 100


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue missing jobs, let old previews expire, and delete imports after KEPT_FOR."""
    now = clock.now()
    async with sessions.begin() as session:
        opened = await session.execute(
            select(RuleImport.id, RuleImport.state, RuleImport.version, RuleImport.created_at)
            .where(RuleImport.ended_at.is_(None))
            .order_by(RuleImport.id)
            .limit(SWEEP_LIMIT)
        )
        found = opened.all()
        jobs = [
            import_job(row.id, None if row.state is ImportState.CHECKING else row.version)
            for row in found
            if row.state in WORKING
        ]
        await enqueue(session, jobs)
        old = [
            row.id
            for row in found
            if row.state in PREVIEWED and row.created_at < now - EXPIRES_AFTER
        ]
        await expire(session, old, now)
        ended = (
            select(RuleImport.id)
            .where(RuleImport.id < first_id(now - KEPT_FOR))
            .order_by(RuleImport.id)
            .limit(SWEEP_LIMIT)
        )
        await session.execute(
            delete(RuleImport)
            .where(RuleImport.id.in_(ended))
            .execution_options(synchronize_session=False)
        )
