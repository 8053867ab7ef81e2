"""SQL that reads the history back; the inbox writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowEvent, SubscriptionEvent

Event = TypeVar("Event", FollowEvent, SubscriptionEvent)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events. after: the last one of the page before; limit: at most."""

    after: UUID | None
    limit: int
    appid: str | None = None
    openid: str | None = None
    unionid: str | None = None


async def page(session: AsyncSession, table: type[Event], wanted: Wanted) -> Sequence[Event]:
    """Return events by id, which is the order of arrival."""
    statement = select(table).order_by(table.id).limit(wanted.limit)
    if wanted.after is not None:
        statement = statement.where(table.id > wanted.after)
    if wanted.appid is not None:
        statement = statement.where(table.appid == wanted.appid)
    if wanted.openid is not None:
        statement = statement.where(table.openid == wanted.openid)
    if wanted.unionid is not None:
        statement = statement.where(table.unionid == wanted.unionid)
    return (await session.scalars(statement)).all()
