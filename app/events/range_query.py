"""The statement that reads a page of a whole list, rather than of one person.

A few index ranges, one for each account and kind, merged: whatever the filters, no more rows are
read than that many pages.
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
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from app.events.cursor import ByArrival, ByTime
from app.events.models import FollowEvent
from app.events.query import ListQuery, ListSpec, Row


def merged(
    listed: ListSpec[Row], wanted: ListQuery, horizon: int, appids: Sequence[str]
) -> Select[Any]:
    kinds = listed.kinds if wanted.kind is None else (wanted.kind,)
    account = _each(appids, Text(), "account")
    kind = _each(kinds, Boolean() if isinstance(kinds[0], bool) else Text(), "kind")
    one_range = _range(listed, wanted, horizon, account.c.value, kind.c.value)
    row = aliased(listed.table, one_range.lateral("one_range"))
    statement = select(row).select_from(account.join(kind, true()).join(row, true()))
    return ordered(statement, listed, wanted, row)


def _range(
    listed: ListSpec[Row],
    wanted: ListQuery,
    horizon: int,
    account: ColumnElement[str],
    kind: ColumnElement[Any],
) -> Select[Any]:
    """One account's rows of one kind, perhaps of one scene.

    Compared and ordered by all the columns of the index that fits: with equalities in their
    place Postgres may take an index in the same order without them, and walk the whole list.
    One lower and one upper bound each: of several, an index scan starts at any.
    """
    of: list[Any] = [listed.column("appid"), listed.column(listed.kind)]
    one: list[Any] = [account, kind]
    within: list[ColumnElement[bool]] = []
    if wanted.scene is not None:
        of.insert(1, listed.column(listed.scene))
        one.insert(1, literal(wanted.scene))
        within.append(listed.column(listed.scene).is_not(None))
    position, time = listed.column("position"), listed.column(listed.time)
    order = [*of, time, position] if wanted.by_time else [*of, position]
    if isinstance(wanted.after, ByTime):
        at = (literal(wanted.after.at), literal(wanted.after.position))
        within.append(tuple_(*order) > tuple_(*one, *at))
    elif isinstance(wanted.after, ByArrival):
        within.append(tuple_(*order) > tuple_(*one, literal(wanted.after.position)))
    elif wanted.start is not None:
        within.append(tuple_(*of, time) >= tuple_(*one, literal(wanted.start)))
    else:
        within.append(tuple_(*of) >= tuple_(*one))
    if not wanted.by_time:
        within.append(tuple_(*order) <= tuple_(*one, literal(horizon)))
    elif wanted.until is not None:
        within += [tuple_(*of, time) < tuple_(*one, literal(wanted.until)), position <= horizon]
    else:
        within += [tuple_(*of) <= tuple_(*one), position <= horizon]
    within += unmoved(listed, wanted)
    return select(listed.table).where(*within).order_by(*order).limit(wanted.limit + 1)


def unmoved(listed: ListSpec[Row], wanted: ListQuery) -> list[ColumnElement[bool]]:
    """Leave out who moved behind the reader's place in time and would come again.

    What arrived after the horizon may have moved them. A scalar query, so that it is one probe a
    row: a join might be made by reading the whole history.
    """
    if listed.timed_by is None or not isinstance(wanted.after, ByTime):
        return []
    event = select(FollowEvent.position).where(FollowEvent.id == listed.column(listed.timed_by))
    arrived = event.correlate(listed.table).scalar_subquery()
    return [func.coalesce(arrived, 0) <= wanted.after.horizon]


def _each(values: Sequence[Any], of: Text | Boolean, name: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own type for this is private
    """A relation of one column `value`."""
    array = cast(list(values), ARRAY(of))
    return func.unnest(array).table_valued("value").render_derived(name=name)


def ordered(
    statement: Select[Any], listed: ListSpec[Row], wanted: ListQuery, row: type[Row]
) -> Select[Any]:
    """One more than the page holds, to tell whether another follows."""
    order = [listed.column("position", row)]
    if wanted.by_time:
        order.insert(0, listed.column(listed.time, row))
    return statement.order_by(*order).limit(wanted.limit + 1)
