"""SQL statement that reads a page of a whole list, rather than of one person.

It merges a few index ranges, one for each account and kind. Whatever the filters are, it reads at
most one page of each range.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Select,
    Text,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from app.events.cursor import ByArrival, ByTime
from app.events.models import INDEXED_SCENE_CHARACTERS, FollowEvent
from app.events.query import ListQuery, ListSpec, Row


def merged(
    listed: ListSpec[Row], query: ListQuery, horizon: int, appids: Sequence[str]
) -> Select[Any]:
    """Return the statement for one page. horizon: positions above it are not read."""
    kinds = listed.kinds if query.kind is None else (query.kind,)
    account = _each(appids, Text(), "account")
    kind = _each(kinds, Boolean() if isinstance(kinds[0], bool) else Text(), "kind")
    one_range = _range(listed, query, horizon, account.c.value, kind.c.value)
    row = aliased(listed.table, one_range.lateral("one_range"))
    statement = select(row).select_from(account.join(kind, true()).join(row, true()))
    return ordered(statement, listed, query, row)


def _range(
    listed: ListSpec[Row],
    query: ListQuery,
    horizon: int,
    account: ColumnElement[str],
    kind: ColumnElement[Any],
) -> Select[Any]:
    """Return one account's rows of one kind, and of one scene if the query names one."""
    # Rows are compared and ordered by all columns of the matching index. With equality conditions
    # instead, Postgres may choose another index in the same order and walk through the whole list.
    # There is one lower and one upper bound: with several, the scan may start at the wrong one.
    of: list[Any] = [listed.column("appid"), listed.column(listed.kind)]
    one: list[Any] = [account, kind]
    within: list[ColumnElement[bool]] = []
    if query.scene is not None:
        of.insert(1, _start_of_scene(listed))
        one.insert(1, literal(query.scene))
        within.append(listed.column(listed.scene).is_not(None))
    position, time = listed.column("position"), listed.column(listed.time)
    order = [*of, time, position] if query.by_time else [*of, position]
    if isinstance(query.after, ByTime):
        at = (literal(query.after.at), literal(query.after.position))
        within.append(tuple_(*order) > tuple_(*one, *at))
    elif isinstance(query.after, ByArrival):
        within.append(tuple_(*order) > tuple_(*one, literal(query.after.position)))
    elif query.start is not None:
        within.append(tuple_(*of, time) >= tuple_(*one, literal(query.start)))
    else:
        within.append(tuple_(*of) >= tuple_(*one))
    if not query.by_time:
        within.append(tuple_(*order) <= tuple_(*one, literal(horizon)))
    elif query.until is not None:
        within += [tuple_(*of, time) < tuple_(*one, literal(query.until)), position <= horizon]
    else:
        within += [tuple_(*of) <= tuple_(*one), position <= horizon]
    within += unmoved(listed, query)
    return select(listed.table).where(*within).order_by(*order).limit(query.limit + 1)


def _start_of_scene(listed: ListSpec[Row]) -> ColumnElement[str]:
    """Return what the indexes hold of a scene. A literal, since a parameter would match no index.

    A filter is shorter than that, so what equals it is the whole scene.
    """
    characters: ColumnElement[int] = literal_column(str(INDEXED_SCENE_CHARACTERS))
    return func.left(listed.column(listed.scene), characters)


def unmoved(listed: ListSpec[Row], query: ListQuery) -> list[ColumnElement[bool]]:
    """Return conditions that leave out rows whose time changed after the first page was read.

    An event that arrived after the horizon may have moved a row that was read already; it would be
    listed twice.
    """
    if listed.timed_by is None or not isinstance(query.after, ByTime):
        return []
    # A scalar subquery is one index probe per row; for a join Postgres may read the whole table.
    event = select(FollowEvent.position).where(FollowEvent.id == listed.column(listed.timed_by))
    arrived = event.correlate(listed.table).scalar_subquery()
    return [func.coalesce(arrived, 0) <= query.after.horizon]


def _each(values: Sequence[Any], of: Text | Boolean, name: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own type for this is private
    """Return the values as a relation with one column `value`."""
    array = cast(list(values), ARRAY(of))
    return func.unnest(array).table_valued("value").render_derived(name=name)


def ordered(
    statement: Select[Any], listed: ListSpec[Row], query: ListQuery, row: type[Row]
) -> Select[Any]:
    """Order the statement, and read one row more than the page to see whether another follows."""
    order = [listed.column("position", row)]
    if query.by_time:
        order.insert(0, listed.column(listed.time, row))
    return statement.order_by(*order).limit(query.limit + 1)
