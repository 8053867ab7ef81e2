"""SQL that reads events and followers in pages.

A position is assigned before its row is committed, so a row may appear below another one that was
read already. Lists therefore end at the settled position, which is read in a statement before that
of the page. The files of the database functions `oa_bridge_next_position` and
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
    """Return a position up to which no new rows can appear; it may be lower than an earlier result.

    The database function `oa_bridge_settled_position` finds it.
    Only a later statement, outside a repeatable-read transaction, sees every row up to it.
    """
    return (await session.scalars(select(func.oa_bridge_settled_position(type_=BigInteger)))).one()


async def page(session: AsyncSession, listed: ListSpec[Row], query: ListQuery) -> Page[Row]:
    """Return one page. query.after: a cursor of the same order, as `Page.next` returned it."""
    if isinstance(query.after, ByTime):
        horizon = query.after.horizon
    else:
        horizon = await settled_position(session)
    statement = await _statement(session, listed, query, horizon)
    async with _sorts_avoided(session):
        found = (await session.scalars(statement)).all()
    rows = found[: query.limit]
    more = len(found) > len(rows)
    if query.by_time:
        return Page(rows, _time_cursor(listed, rows[-1], horizon) if more else None, None)
    # The settled position may go back; the cursor of a reader never does.
    read = query.after.position if isinstance(query.after, ByArrival) else 0
    later = ByArrival(rows[-1].position if more else max(read, horizon))
    return Page(rows, later if more else None, later)


@asynccontextmanager
async def _sorts_avoided(session: AsyncSession) -> AsyncIterator[None]:
    """Make Postgres read the ranges of a list in the order of their index.

    Postgres overestimates the number of rows. For a long page it would read a whole account and
    sort it, again for each page.
    """
    await session.execute(_SORTS, {"sorts": "off"})
    yield
    await session.execute(_SORTS, {"sorts": "on"})


_SORTS = text(
    "SELECT set_config('enable_sort', :sorts, true), "
    "set_config('enable_incremental_sort', :sorts, true), set_config('jit', 'off', true)"
)


def _time_cursor(listed: ListSpec[Row], row: Row, horizon: int) -> ByTime:
    at: datetime = getattr(row, listed.time)
    return ByTime(horizon, at, row.position)


async def _statement(
    session: AsyncSession, listed: ListSpec[Row], query: ListQuery, horizon: int
) -> Select[Any]:
    if query.unionid is not None or query.openid is not None:
        return await _of_person(session, listed, query, horizon)
    appids = [query.appid] if query.appid else await _accounts(session, listed)
    return merged(listed, query, horizon, appids)


async def _of_person(
    session: AsyncSession, listed: ListSpec[Row], query: ListQuery, horizon: int
) -> Select[Any]:
    """Return the statement for one person: the few rows are found by index and then sorted."""
    appid, openid = listed.column("appid"), listed.column("openid")
    position, time = listed.column("position"), listed.column(listed.time)
    person: list[ColumnElement[bool]] = [position <= horizon, *unmoved(listed, query)]
    if query.unionid is not None:
        known = await identity.of_unionid(session, query.unionid, MAX_OPENIDS)
        keys = [(row.appid, row.openid) for row in known]
        by_unionid = listed.column("unionid") == query.unionid
        person.append(or_(by_unionid, tuple_(appid, openid).in_(keys)) if keys else by_unionid)
    if query.openid is not None:
        appids = [query.appid] if query.appid else await _accounts(session, listed)
        person += [appid.in_(appids), openid == query.openid]
    if query.appid is not None:
        person.append(appid == query.appid)
    if query.kind is not None:
        person.append(listed.column(listed.kind) == query.kind)
    if query.scene is not None:
        person.append(listed.column(listed.scene) == query.scene)
    if query.start is not None:
        person.append(time >= query.start)
    if query.until is not None:
        person.append(time < query.until)
    if isinstance(query.after, ByArrival):
        person.append(position > query.after.position)
    if isinstance(query.after, ByTime):
        person.append(tuple_(time, position) > (query.after.at, query.after.position))
    # Materialised, so that Postgres does not walk a whole index that is already in this order.
    found = select(listed.table).where(*person).cte("person").prefix_with("MATERIALIZED")
    row = aliased(listed.table, found)
    return ordered(select(row), listed, query, row)


async def _accounts(session: AsyncSession, listed: ListSpec[Row]) -> Sequence[str]:
    """Return every account in the table, by one index probe each."""
    appid = listed.column("appid")
    accounts = select(func.min(appid).label("appid")).cte("accounts", recursive=True)
    following = select(func.min(appid)).where(appid > accounts.c.appid).scalar_subquery()
    accounts = accounts.union_all(select(following).where(accounts.c.appid.is_not(None)))
    found = await session.scalars(select(accounts.c.appid).where(accounts.c.appid.is_not(None)))
    return found.all()
