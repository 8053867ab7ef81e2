"""Rows of WeChat's figures are read whole, or not at all."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.datacube import FORMS, MAX_ROWS, MAX_VALUE, FigureCall, figure_rows
from app.wechat.errors import TransportError

DAY = date(2026, 11, 27)
SUMMARY = {"ref_date": "2026-11-27", "user_source": 30, "new_user": 3, "cancel_user": 1}


def read(call: FigureCall, response: Any) -> list[dict[str, int]]:  # noqa: ANN401 - any JSON
    return [dict(row.values) for row in figure_rows(response, call, DAY, DAY)]


def test_rows_are_read_by_day_and_source_and_further_members_are_ignored() -> None:
    rows = [SUMMARY | {"user_source": "30", "new": 1}, SUMMARY | {"user_source": 0}, SUMMARY]
    assert read(FigureCall.USER_SUMMARY, {"list": rows}) == [
        {"user_source": 0, "new_user": 3, "cancel_user": 1},
        {"user_source": 30, "new_user": 6, "cancel_user": 2},
    ]


def test_a_day_without_rows_is_empty() -> None:
    assert read(FigureCall.USER_SUMMARY, {"list": []}) == []


def test_a_source_that_is_not_documented_is_no_matter() -> None:
    row = {"ref_date": "2026-11-27", "user_source": 0, "cumulate_user": 12}
    assert read(FigureCall.USER_CUMULATE, {"list": [row]}) == [{"cumulate_user": 12}]


def test_visits_are_read_with_their_compact_day() -> None:
    row = {
        "ref_date": "20261127",
        "session_cnt": 4,
        "visit_pv": 9,
        "visit_uv": 3,
        "visit_uv_new": 1,
    }
    more = {"stay_time_uv": 12.5, "visit_depth": 2.75}
    assert read(FigureCall.VISIT_TREND, {"list": [row | more]}) == [
        {"session_cnt": 4, "visit_pv": 9, "visit_uv": 3, "visit_uv_new": 1}
    ]


def test_of_the_distributions_that_of_sources_is_read() -> None:
    response = {
        "ref_date": "20261127",
        "list": [
            {"index": "access_staytime_info", "item_list": [{"key": 1, "value": "x"}]},
            {"index": "access_source_session_cnt", "item_list": [{"key": 13, "value": 5}]},
        ],
    }
    assert read(FigureCall.VISIT_DISTRIBUTION, response) == [{"key": 13, "value": 5}]


@pytest.mark.parametrize(
    "change",
    [
        {"ref_date": "2026-11-26"},
        {"ref_date": "20261127"},
        {"ref_date": None},
        {"ref_date": ["2026-11-27"]},
        {"new_user": None},
        {"new_user": -1},
        {"new_user": 1.5},
        {"new_user": True},
        {"new_user": MAX_VALUE + 1},
        {"user_source": "QR"},
    ],
)
def test_a_row_that_can_t_be_right_fails_them_all(change: dict[str, object]) -> None:
    with pytest.raises(TransportError, match="unreadable answer"):
        read(FigureCall.USER_SUMMARY, {"list": [SUMMARY, SUMMARY | change]})


@pytest.mark.parametrize(
    "response",
    [{"list": None}, {"list": {}}, {"list": [7]}, {"list": [SUMMARY] * (MAX_ROWS + 1)}, {}],
)
def test_what_is_no_list_of_rows_is_not_believed(response: object) -> None:
    with pytest.raises(TransportError, match="unreadable answer"):
        read(FigureCall.USER_SUMMARY, response)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["list", "ref_date", "index", "item_list", "key", "value", "new_user"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["list", "ref_date"]), JSON), st.sampled_from(FigureCall))
def test_whatever_comes_is_read_or_refused(response: dict[str, Any], call: FigureCall) -> None:
    try:
        rows = figure_rows(response, call, DAY, DAY + timedelta(days=1))
    except TransportError:
        return
    names = {*FORMS[call].keys, *FORMS[call].values}
    assert all(row.values.keys() == names for row in rows)
