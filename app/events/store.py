"""SQL that reads a list a page at a time: events and followers alike.

A position is drawn before its row is committed, so a row may appear below one that was read
already. Lists therefore end at the settled position, which is asked for in a statement before the
one that reads. The files of the database functions `oa_bridge_next_position` and
`oa_bridge_settled_position` in app/db/sql say how both are found.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.events.cursor import ByArrival, ByTime
from app.events.query import ListQuery, ListSpec, Page, Row
from app.events.range_query import merged, ordered, unmoved
from app.identity import store as identity

MAX_OPENIDS = 500


async def settled_position(session: AsyncSession) -> int:
    """Return a position up to which nothing will appear any more; now and then a lower one.

    The database function `oa_bridge_settled_position` finds it.
    Only a later statement, outside a repeatable-read transaction, sees every row up to it.
    """
    return (await session.scalars(select(func.oa_bridge_settled_position(type_=BigInteger)))).one()


async def page(session: AsyncSession, listed: ListSpec[Row], wanted: ListQuery) -> Page[Row]:
    """Return one page. wanted.after: of the same order, as `Page.next` gave it."""
    if isinstance(wanted.after, ByTime):
        horizon = wanted.after.horizon
    else:
        horizon = await settled_position(session)
    statement = await _statement(session, listed, wanted, horizon)
    async with _sorts_avoided(session):
        found = (await session.scalars(statement)).all()
    rows = found[: wanted.limit]
    more = len(found) > len(rows)
    if wanted.by_time:
        return Page(rows, _place_in_time(listed, rows[-1], horizon) if more else None, None)
    # A claim made late of a position read early takes the horizon back; the reader stays.
    read = wanted.after.position if isinstance(wanted.after, ByArrival) else 0
    later = ByArrival(rows[-1].position if more else max(read, horizon))
    return Page(rows, later if more else None, later)


@asynccontextmanager
async def _sorts_avoided(session: AsyncSession) -> AsyncIterator[None]:
    """Have Postgres read the ranges of a list in the order of their index.

    It expects far more rows in them than there are, and for a long page would rather read a whole
    account, and sort it, for each page again.
    """
    await session.execute(_SORTS, {"sorts": "off"})
    yield
    await session.execute(_SORTS, {"sorts": "on"})


_SORTS = text(
    "SELECT set_config('enable_sort', :sorts, true), "
    "set_config('enable_incremental_sort', :sorts, true), set_config('jit', 'off', true)"
)


def _place_in_time(listed: ListSpec[Row], row: Row, horizon: int) -> ByTime:
    at: datetime = getattr(row, listed.time)
    return ByTime(horizon, at, row.position)


async def _statement(
    session: AsyncSession, listed: ListSpec[Row], wanted: ListQuery, horizon: int
) -> Select[Any]:
    if wanted.unionid is not None or wanted.openid is not None:
        return await _of_person(session, listed, wanted, horizon)
    appids = [wanted.appid] if wanted.appid else await _accounts(session, listed)
    return merged(listed, wanted, horizon, appids)


async def _of_person(
    session: AsyncSession, listed: ListSpec[Row], wanted: ListQuery, horizon: int
) -> Select[Any]:
    """Rows of a person are few: they are found by index, and then sorted."""
    appid, openid = listed.column("appid"), listed.column("openid")
    position, time = listed.column("position"), listed.column(listed.time)
    person: list[ColumnElement[bool]] = [position <= horizon, *unmoved(listed, wanted)]
    if wanted.unionid is not None:
        known = await identity.of_unionid(session, wanted.unionid, MAX_OPENIDS)
        keys = [(row.appid, row.openid) for row in known]
        keyed = listed.column("unionid") == wanted.unionid
        person.append(or_(keyed, tuple_(appid, openid).in_(keys)) if keys else keyed)
    if wanted.openid is not None:
        appids = [wanted.appid] if wanted.appid else await _accounts(session, listed)
        person += [appid.in_(appids), openid == wanted.openid]
    if wanted.appid is not None:
        person.append(appid == wanted.appid)
    if wanted.kind is not None:
        person.append(listed.column(listed.kind) == wanted.kind)
    if wanted.scene is not None:
        person.append(listed.column(listed.scene) == wanted.scene)
    if wanted.start is not None:
        person.append(time >= wanted.start)
    if wanted.until is not None:
        person.append(time < wanted.until)
    if isinstance(wanted.after, ByArrival):
        person.append(position > wanted.after.position)
    if isinstance(wanted.after, ByTime):
        person.append(tuple_(time, position) > (wanted.after.at, wanted.after.position))
    # A materialised CTE: no index that is in order already may be walked for them.
    found = select(listed.table).where(*person).cte("person").prefix_with("MATERIALIZED")
    row = aliased(listed.table, found)
    return ordered(select(row), listed, wanted, row)


async def _accounts(session: AsyncSession, listed: ListSpec[Row]) -> Sequence[str]:
    """Return every account in the table, by one index probe each."""
    appid = listed.column("appid")
    accounts = select(func.min(appid).label("appid")).cte("accounts", recursive=True)
    following = select(func.min(appid)).where(appid > accounts.c.appid).scalar_subquery()
    accounts = accounts.union_all(select(following).where(accounts.c.appid.is_not(None)))
    found = await session.scalars(select(accounts.c.appid).where(accounts.c.appid.is_not(None)))
    return found.all()
