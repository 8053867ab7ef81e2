"""SQL of `/api/alarms`: lists alarms."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.alarms.models import Alarm


class AlarmState(StrEnum):
    """Whether an alarm lasts."""

    ACTIVE = "active"
    ENDED = "ended"


async def page(
    session: AsyncSession, *, before: UUID | None, limit: int, state: AlarmState | None = None
) -> Sequence[Alarm]:
    """Return alarms, the newest first. before: the id of the last alarm of the page before."""
    query = select(Alarm).order_by(Alarm.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Alarm.id < before)
    if state is AlarmState.ACTIVE:
        query = query.where(Alarm.ended_at.is_(None))
    elif state is AlarmState.ENDED:
        query = query.where(Alarm.ended_at.is_not(None))
    return (await session.scalars(query)).all()
