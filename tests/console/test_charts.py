"""The geometry of charts: inside the frame, in order, at round figures."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_X_LABELS,
    MAX_Y_TICKS,
    RIGHT,
    TOP,
    WIDTH,
    Series,
    bar_chart,
    line_chart,
    nice_ticks,
)

FIGURES = st.one_of(st.none(), st.integers(-(10**9), 10**9).map(float))


@given(st.lists(FIGURES, max_size=366), st.integers(1, 6))
def test_every_figure_is_inside_the_frame(values: list[float | None], count: int) -> None:
    labels = [str(number) for number in range(len(values))]
    series = [Series(str(number), values) for number in range(count)]
    lines, bars = line_chart(labels, series), bar_chart(labels, series)

    points = [point for line in lines.lines for point in line.points]
    figures = count * sum(value is not None for value in values)
    assert len(points) == len(bars.bars) == figures
    for point in points:
        assert LEFT <= point.x <= WIDTH - RIGHT
        assert TOP - 0.01 <= point.y <= HEIGHT - BOTTOM + 0.01
    for bar in bars.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= WIDTH - RIGHT + 0.01
        assert bar.height >= 0
        assert TOP - 0.01 <= bar.y <= bar.y + bar.height <= HEIGHT - BOTTOM + 0.01
    assert len(lines.x_ticks) <= MAX_X_LABELS


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
    (line,) = line_chart(["a", "b", "c"], [Series("x", [1, None, 3])]).lines

    assert len(line.paths) == 2
    assert [point.label for point in line.points] == ["a", "c"]


def test_higher_figures_are_higher() -> None:
    (line,) = line_chart(["a", "b"], [Series("x", [1, 2])]).lines

    assert line.points[1].y < line.points[0].y


def test_a_series_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one value for each label"):
        line_chart(["a"], [Series("x", [1, 2])])


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_chart_without_a_figure_says_so(values: list[float | None]) -> None:
    assert bar_chart([str(n) for n in range(len(values))], [Series("x", values)]).is_empty
