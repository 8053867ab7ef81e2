"""SQL of `/api/callbacks`: lists stored pushes, and reads one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.callback.models import Callback


async def page(session: AsyncSession, before: UUID | None, limit: int) -> Sequence[Callback]:
    """Return pushes by id without their contents, the newest first. before: last id of a page."""
    statement = select(Callback).order_by(Callback.id.desc()).limit(limit)
    statement = statement.options(defer(Callback.payload), defer(Callback.passive))
    if before is not None:
        statement = statement.where(Callback.id < before)
    return (await session.scalars(statement)).all()


async def of_id(session: AsyncSession, callback_id: UUID) -> Callback | None:
    """Return one push, or None."""
    return await session.get(Callback, callback_id)
