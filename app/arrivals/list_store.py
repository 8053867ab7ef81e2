"""SQL that lists arrivals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals.models import Arrival, ArrivalKind, Basis, Door

# A filter that no index serves looks at so many arrivals for one page.
MAX_SEARCHED: Final = 100_000
_FIRST: Final = UUID(int=0)
_BEYOND: Final = UUID(int=(1 << 128) - 1)
_FILTERS: Final = ("appid", "kind", "basis", "door", "openid", "unionid")


@dataclass(frozen=True, slots=True)
class ArrivalFilter:
    """Which arrivals; None: any. since, until: of receipt; until is not included."""

    appid: str | None = None
    kind: ArrivalKind | None = None
    basis: Basis | None = None
    door: Door | None = None
    openid: str | None = None
    unionid: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def searches(self) -> bool:
        """Whether each arrival has to be looked at, since no index finds those that fit."""
        if self.unionid is not None or None not in {self.appid, self.openid}:
            return False
        return any(getattr(self, name) is not None for name in _FILTERS)


@dataclass(frozen=True, slots=True)
class FoundArrivals:
    """Arrivals, the newest first. next: the cursor of the next page; None after the last one."""

    rows: Sequence[Arrival]
    next: UUID | None


async def page(
    session: AsyncSession, wanted: ArrivalFilter, *, before: UUID | None, limit: int
) -> FoundArrivals:
    """Return arrivals. before: the `next` of the page before.

    A filter that no index serves looks at MAX_SEARCHED arrivals: then the page may have fewer than
    there are, and the next one goes on from there.
    """
    upper = min(before or _BEYOND, _first_id(wanted.until) or _BEYOND)
    bound = await _search_bound(session, upper) if wanted.searches else None
    lower = max(_first_id(wanted.since) or _FIRST, bound or _FIRST)
    query = select(Arrival).where(Arrival.id < upper, Arrival.id >= lower)
    for name in _FILTERS:
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Arrival, name) == value)
    found = (await session.scalars(query.order_by(Arrival.id.desc()).limit(limit + 1))).all()
    if len(found) > limit:
        return FoundArrivals(found[:limit], found[limit - 1].id)
    return FoundArrivals(found, bound if bound is not None and bound >= lower else None)


async def _search_bound(session: AsyncSession, upper: UUID) -> UUID | None:
    """Return the id down to which MAX_SEARCHED arrivals lie; None if there are fewer."""
    ids = select(Arrival.id).where(Arrival.id < upper).order_by(Arrival.id.desc())
    return await session.scalar(ids.offset(MAX_SEARCHED - 1).limit(1))


def _first_id(moment: datetime | None) -> UUID | None:
    """Return the lowest UUIDv7 of a moment."""
    return None if moment is None else UUID(int=int(moment.timestamp() * 1000) << 80)
