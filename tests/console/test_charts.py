"""The geometry of charts: inside the frame, in order, at round figures."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.charts import (
    BOTTOM,
    CHARACTER,
    HEIGHT,
    MAX_Y_TICKS,
    NARROW,
    RIGHT,
    TOP,
    WIDE,
    ChartMark,
    Drawing,
    Series,
    Size,
    bar_chart,
    line_chart,
    nice_ticks,
    shortened,
)

FIGURES = st.one_of(st.none(), st.integers(-(10**9), 10**9).map(float))


@given(st.lists(FIGURES, max_size=366), st.integers(1, 6))
def test_every_figure_is_inside_the_frame(values: list[float | None], count: int) -> None:
    labels = [str(number) for number in range(len(values))]
    series = [Series(str(number), values) for number in range(count)]
    lines, bars = line_chart(labels, series), bar_chart(labels, series)

    figures = count * sum(value is not None for value in values)
    for one in (lines.wide, lines.narrow, bars.wide, bars.narrow):
        check(one, figures)


def check(drawing: Drawing, figures: int) -> None:
    points = [point for line in drawing.lines for point in line.points]
    assert len(points) + len(drawing.bars) == figures
    right = drawing.size.width - RIGHT
    for point in points:
        assert drawing.left <= point.x <= right
        assert TOP - 0.01 <= point.y <= HEIGHT - BOTTOM + 0.01
    for bar in drawing.bars:
        assert drawing.left <= bar.x <= bar.x + bar.width <= right + 0.01
        assert bar.height >= 0
        assert TOP - 0.01 <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.01
    assert len(drawing.x_ticks) <= drawing.size.max_x_labels
    assert max(len(tick.text) for tick in drawing.y_ticks) * CHARACTER < drawing.left


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("label", ["2026-11-28", "其他方式关注的用户" * 3])
def test_labels_of_the_x_axis_never_touch_each_other(size: Size, label: str) -> None:
    chart = bar_chart([label] * 12, [Series("x", [10**9] * 12)])
    drawing = chart.wide if size is WIDE else chart.narrow

    ends = 0.0
    for tick in drawing.x_ticks:
        half = sum(2 if letter > "\u2fff" else 1 for letter in tick.text) * CHARACTER / 2
        assert tick.at - half >= ends
        ends = tick.at + half
    assert [tick.text for tick in drawing.x_ticks]


@pytest.mark.parametrize("days", [2, 7, 30])
def test_no_label_of_the_x_axis_is_cut_off_at_the_edge(days: int) -> None:
    chart = line_chart(["2026-11-28"] * days, [Series("x", [9999] * days)])

    for drawing in (chart.wide, chart.narrow):
        last = drawing.x_ticks[-1]
        assert last.at + len(last.text) * CHARACTER / 2 <= drawing.size.width


def test_a_day_has_room_on_a_phone() -> None:
    drawing = line_chart(["2026-11-28"] * 30, [Series("x", [9999] * 30)]).narrow

    assert {tick.text for tick in drawing.x_ticks} == {"2026-11-28"}


def test_a_label_without_room_is_cut() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
    assert shortened("用户数", 5) == "用户…"


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_ticks_are_even_and_cover_the_figures(one: int, other: int) -> None:
    low, high = sorted((one, other))
    ticks = nice_ticks(low, high)

    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= MAX_Y_TICKS + 2
    steps = {round(after - before, 6) for before, after in pairwise(ticks)}
    assert len(steps) == 1


def test_a_missing_figure_breaks_the_line() -> None:
    (line,) = line_chart(["a", "b", "c"], [Series("x", [1, None, 3])]).wide.lines

    assert len(line.paths) == 2
    assert [point.label for point in line.points] == ["a", "c"]


def test_higher_figures_are_higher() -> None:
    (line,) = line_chart(["a", "b"], [Series("x", [1, 2])]).wide.lines

    assert line.points[1].y < line.points[0].y


def test_a_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one value for each label"):
        line_chart(["a"], [Series("x", [1, 2])])


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_chart_without_a_figure_says_so(values: list[float | None]) -> None:
    assert bar_chart([str(n) for n in range(len(values))], [Series("x", values)]).is_empty


def test_marks_are_numbered_by_label_and_stand_at_their_figure() -> None:
    marks = [ChartMark("c", "one"), ChartMark("a", "two"), ChartMark("c", "three", "typed")]
    chart = line_chart(["a", "b", "c"], [Series("x", [1, 2, 3])], [*marks, ChartMark("z", "four")])

    assert [(one.number, one.label, len(one.marks)) for one in chart.marked] == [
        (1, "a", 1),
        (2, "c", 2),
    ]
    for drawing in (chart.wide, chart.narrow):
        points = {point.label: point.x for point in drawing.lines[0].points}
        assert [line.x for line in drawing.marks] == [points["a"], points["c"]]


def test_a_chart_without_marks_has_none() -> None:
    chart = line_chart(["a"], [Series("x", [1])])
    assert (chart.marked, chart.wide.marks) == ([], [])
