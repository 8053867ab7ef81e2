"""Deletes old entries of the audit log: the only statement that removes any."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from app.access.models import AuditEntry
from app.clock import Clock
from app.db.engine import SessionFactory

MAX_AT_ONCE: Final = 10_000


async def prune(sessions: SessionFactory, clock: Clock, kept_for: timedelta) -> None:
    """Delete up to MAX_AT_ONCE entries that are older than `kept_for`."""
    old = (
        select(AuditEntry.id)
        .where(AuditEntry.occurred_at < clock.now() - kept_for)
        .order_by(AuditEntry.occurred_at)
        .limit(MAX_AT_ONCE)
    )
    async with sessions.begin() as session:
        await session.execute(
            delete(AuditEntry)
            .where(AuditEntry.id.in_(old))
            .execution_options(synchronize_session=False)
        )
