"""Deletes alarms that are long over, with what receivers were told of them."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from app.alarms.models import Alarm
from app.clock import Clock
from app.db.engine import SessionFactory

KEPT_FOR: Final = timedelta(days=90)
MAX_AT_ONCE: Final = 1_000


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete up to MAX_AT_ONCE alarms that were over KEPT_FOR ago."""
    old = (
        select(Alarm.id)
        .where(Alarm.ended_at < clock.now() - KEPT_FOR)
        .order_by(Alarm.ended_at)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    async with sessions.begin() as session:
        await session.execute(
            delete(Alarm)
            .where(Alarm.id.in_(select(old.c.id)))
            .execution_options(synchronize_session=False)
        )
