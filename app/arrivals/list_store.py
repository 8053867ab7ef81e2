"""SQL that lists arrivals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals.models import Arrival, ArrivalKind, Basis, Door


@dataclass(frozen=True, slots=True)
class ArrivalFilter:
    """Which arrivals; None: any. since, until: of receipt; until is not included.

    settled: only those whose door has been looked for, or only those that wait for it.
    """

    appid: str | None = None
    kind: ArrivalKind | None = None
    basis: Basis | None = None
    door: Door | None = None
    openid: str | None = None
    unionid: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page(
    session: AsyncSession, wanted: ArrivalFilter, *, before: UUID | None, limit: int
) -> Sequence[Arrival]:
    """Return arrivals, the newest first. before: the id of the last one of the page before."""
    query = select(Arrival).order_by(Arrival.id.desc()).limit(limit)
    bounds = [bound for bound in (before, _first_id(wanted.until)) if bound is not None]
    if bounds:
        query = query.where(Arrival.id < min(bounds))
    if wanted.since is not None:
        query = query.where(Arrival.id >= _first_id(wanted.since))
    for name in ("appid", "kind", "basis", "door", "openid", "unionid"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Arrival, name) == value)
    return (await session.scalars(query)).all()


def _first_id(moment: datetime | None) -> UUID | None:
    """Return the lowest UUIDv7 of a moment."""
    return None if moment is None else UUID(int=int(moment.timestamp() * 1000) << 80)
