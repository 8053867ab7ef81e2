"""SQL that lists arrivals."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import DateTime, Text, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals.models import Arrival, ArrivalKind, Basis, Door
from app.arrivals.new_arrival import MAX_AGE
from app.first_id import first_id

# A filter that no index serves looks at so many arrivals for one page.
MAX_SEARCHED: Final = 100_000
_FIRST: Final = UUID(int=0)
_BEYOND: Final = UUID(int=(1 << 128) - 1)
_FILTERS: Final = ("appid", "kind", "basis", "door", "ref", "openid", "unionid")
# A window of the funnel, and how late a report may come; clocks differ.
_LATEST_REPORT: Final = timedelta(days=90) + MAX_AGE + timedelta(hours=1)
_CLOCK_SLACK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Began:
    """What the funnel counts by a door for the time in which it began; until is not included.

    door: its name in `funnel_touches`; empty: of the whole account. account: None: any.
    """

    door: str
    since: datetime
    until: datetime
    account: str | None = None


@dataclass(frozen=True, slots=True)
class ArrivalFilter:
    """Which arrivals; None: any. since, until: of receipt; until is not included."""

    appid: str | None = None
    kind: ArrivalKind | None = None
    basis: Basis | None = None
    door: Door | None = None
    ref: str | None = None
    openid: str | None = None
    unionid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    began: Began | None = None

    @property
    def searches(self) -> bool:
        """Whether each arrival has to be looked at, since no index finds those that fit."""
        if self.began is not None:
            return True
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
    upper = min(before or _BEYOND, _id_from(wanted.until) or _BEYOND)
    lowest = _id_from(wanted.since) or _FIRST
    if wanted.began is not None:
        upper = min(upper, first_id(wanted.began.until + _LATEST_REPORT))
        lowest = max(lowest, first_id(wanted.began.since - _CLOCK_SLACK))
    bound = await _search_bound(session, upper) if wanted.searches else None
    lower = max(lowest, bound or _FIRST)
    query = select(Arrival).where(Arrival.id < upper, Arrival.id >= lower)
    for name in _FILTERS:
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(getattr(Arrival, name) == value)
    if wanted.began is not None:
        values = {field.name: getattr(wanted.began, field.name) for field in fields(Began)}
        query = query.where(_BEGAN.bindparams(**{f"began_{k}": v for k, v in values.items()}))
    found = (await session.scalars(query.order_by(Arrival.id.desc()).limit(limit + 1))).all()
    if len(found) > limit:
        return FoundArrivals(found[:limit], found[limit - 1].id)
    return FoundArrivals(found, bound if bound is not None and bound >= lower else None)


async def _search_bound(session: AsyncSession, upper: UUID) -> UUID | None:
    """Return the id down to which MAX_SEARCHED arrivals lie; None if there are fewer."""
    ids = select(Arrival.id).where(Arrival.id < upper).order_by(Arrival.id.desc())
    return await session.scalar(ids.offset(MAX_SEARCHED - 1).limit(1))


def _id_from(moment: datetime | None) -> UUID | None:
    return None if moment is None else first_id(moment)


# A reply counts with its push, a notice and a launch by themselves, and a conversion by a link or a
# button with each launch of the person by it before.
_BEGAN: Final = text("""
arrivals.left_out IS NULL AND (EXISTS (
    SELECT FROM funnel_touches t
    WHERE t.id = COALESCE(arrivals.callback_id, arrivals.notice_id, arrivals.id)
      AND :began_door = ANY(t.doors) AND t.at >= :began_since AND t.at < :began_until
      AND t.appid = COALESCE(CAST(:began_account AS text), t.appid)
) OR (
    arrivals.kind = 'conversion' AND arrivals.door IN ('link', 'menu') AND EXISTS (
        SELECT FROM funnel_touches t
        WHERE t.person = COALESCE(arrivals.unionid, arrivals.openid)
          AND t.appid = COALESCE(arrivals.account, arrivals.appid) AND t.source = 'launch'
          AND :began_door = ANY(t.doors) AND t.at <= arrivals.at
          AND t.at >= :began_since AND t.at < :began_until
          AND t.appid = COALESCE(CAST(:began_account AS text), t.appid)
          AND (CASE arrivals.door WHEN 'link' THEN 'link:' || arrivals.link_id
               ELSE 'button:' || arrivals.menu_number || ':'
                    || COALESCE(arrivals.menu_position, '') END) = ANY(t.doors)
    )
))
""").bindparams(
    bindparam("began_door", type_=Text()),
    bindparam("began_since", type_=DateTime(timezone=True)),
    bindparam("began_until", type_=DateTime(timezone=True)),
    bindparam("began_account", type_=Text()),
)
