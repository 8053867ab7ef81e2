"""SQL of the days that are counted, of pushes and of launches alike."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.datacube.days import KEPT_DAYS, day_of
from app.datacube.models import PushDay, VisitDay

Day = TypeVar("Day", PushDay, VisitDay)


async def counted_at(
    session: AsyncSession, kind: type[Day], appids: Sequence[str], since: date
) -> Mapping[date, datetime]:
    """Return when each day was counted last, of the days that are counted for all accounts."""
    found = await session.execute(
        select(kind.day, func.min(kind.counted_at).label("at"))
        .where(kind.appid.in_(appids), kind.day >= since)
        .group_by(kind.day)
        .having(func.count() == len(appids))
    )
    return {row.day: row.at for row in found}


async def read(
    session: AsyncSession, kind: type[Day], appids: Sequence[str], since: date, until: date
) -> Sequence[Day]:
    """Return the days that are counted, in their order."""
    found = await session.scalars(
        select(kind)
        .where(kind.appid.in_(appids), kind.day >= since, kind.day <= until)
        .order_by(kind.appid, kind.day)
    )
    return found.all()


async def prune(session: AsyncSession, kind: type[Day], now: datetime) -> None:
    """Delete the days that are long over."""
    first = day_of(now) - timedelta(days=KEPT_DAYS)
    await session.execute(delete(kind).where(kind.day < first))
