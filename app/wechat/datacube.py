"""The calls of WeChat's figures (datacube): what each takes, and the rows that it answers. Pure.

Source: protocol 9.7; linkage 10.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from app.wechat.read_response import number_of, unreadable_response

NOT_READY: Final = frozenset({61503, 61504})
BAD_DATES: Final = frozenset({61500, 61501})
# A day has a row for each source of followers or type of message, and there are about a dozen.
MAX_ROWS: Final = 5_000
# No account has as many of anything in a day.
MAX_VALUE: Final = 10**12
ACCESS_SOURCE: Final = "access_source_session_cnt"


class FigureCall(StrEnum):
    """A call that answers figures of days, by its name below `/datacube/`."""

    USER_SUMMARY = "getusersummary"
    USER_CUMULATE = "getusercumulate"
    UPSTREAM_MESSAGES = "getupstreammsg"
    INTERFACE_SUMMARY = "getinterfacesummary"
    VISIT_TREND = "getweanalysisappiddailyvisittrend"
    VISIT_DISTRIBUTION = "getweanalysisappidvisitdistribution"


@dataclass(frozen=True, slots=True)
class Form:
    """How a call is made. max_days: that one call may ask for, both ends included.

    keys: the numbers that tell the rows of a day apart. values: those that are counted. compact:
    the days have no hyphens, which is so for mini-programs.
    """

    max_days: int
    keys: tuple[str, ...]
    values: tuple[str, ...]
    compact: bool = False

    def text(self, day: date) -> str:
        """Return a day as the call writes it."""
        return day.strftime("%Y%m%d") if self.compact else day.isoformat()


FORMS: Final[Mapping[FigureCall, Form]] = {
    FigureCall.USER_SUMMARY: Form(7, ("user_source",), ("new_user", "cancel_user")),
    # Live answers have carried a user_source, which is not documented, and always 0.
    FigureCall.USER_CUMULATE: Form(7, (), ("cumulate_user",)),
    FigureCall.UPSTREAM_MESSAGES: Form(7, ("msg_type",), ("msg_user", "msg_count")),
    FigureCall.INTERFACE_SUMMARY: Form(
        30, (), ("callback_count", "fail_count", "total_time_cost", "max_time_cost")
    ),
    FigureCall.VISIT_TREND: Form(
        1, (), ("session_cnt", "visit_pv", "visit_uv", "visit_uv_new"), compact=True
    ),
    FigureCall.VISIT_DISTRIBUTION: Form(1, ("key",), ("value",), compact=True),
}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row of a day. values: what `Form.keys` and `Form.values` name."""

    day: date
    values: Mapping[str, int]


def figure_rows(
    response: Mapping[str, Any], call: FigureCall, first: date, last: date
) -> list[FigureRow]:
    """Read the rows of these days. Raises TransportError.

    A row that can't be read, or that is about another day, fails them all: a figure without it
    would look like one that is right. A day without a row is left to the caller.
    """
    found = response.get("list")
    if not isinstance(found, list) or len(found) > MAX_ROWS:
        raise unreadable_response()
    form = FORMS[call]
    if call is FigureCall.VISIT_DISTRIBUTION:
        day = _day(response.get("ref_date"), form)
        rows = [FigureRow(day, _values(one, form)) for one in _sources(found)]
    else:
        rows = [
            FigureRow(_day(one.get("ref_date"), form), _values(one, form)) for one in _all(found)
        ]
    if len(rows) > MAX_ROWS or any(not first <= row.day <= last for row in rows):
        raise unreadable_response()
    return _summed(rows, form)


def _sources(found: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the sessions by source; the other distributions are not read."""
    for one in _all(found):
        if one.get("index") == ACCESS_SOURCE:
            items = one.get("item_list")
            if not isinstance(items, list) or len(items) > MAX_ROWS:
                raise unreadable_response()
            yield from _all(items)


def _all(found: list[Any]) -> Iterator[Mapping[str, Any]]:
    for one in found:
        if not isinstance(one, Mapping):
            raise unreadable_response()
        yield one


def _day(value: object, form: Form) -> date:
    try:
        written = value if isinstance(value, str) else str(number_of(value))
        return datetime.strptime(written.strip(), "%Y%m%d" if form.compact else "%Y-%m-%d").date()  # noqa: DTZ007 - a day, and no moment
    except ValueError:
        raise unreadable_response() from None


def _values(row: Mapping[str, Any], form: Form) -> Mapping[str, int]:
    return {name: _count(row.get(name)) for name in (*form.keys, *form.values)}


def _count(value: object) -> int:
    number = number_of(value)
    if number is None or not 0 <= number <= MAX_VALUE:
        raise unreadable_response()
    return number


def _summed(rows: list[FigureRow], form: Form) -> list[FigureRow]:
    """Return one row for each day and keys, in their order."""
    sums: dict[tuple[date, tuple[int, ...]], dict[str, int]] = defaultdict(dict)
    for row in rows:
        keys = tuple(row.values[name] for name in form.keys)
        known = sums[row.day, keys]
        for name in form.values:
            known[name] = known.get(name, 0) + row.values[name]
    return [
        FigureRow(day, dict(zip(form.keys, keys, strict=True)) | sums[day, keys])
        for day, keys in sorted(sums)
    ]
