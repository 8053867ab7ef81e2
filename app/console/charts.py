"""The geometry of charts. Pure: figures in, coordinates for SVG out.

Coordinates are in units of the viewBox, from its upper left corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final
from unicodedata import east_asian_width

HEIGHT: Final = 240.0
RIGHT: Final = 12.0
TOP: Final = 12.0
BOTTOM: Final = 28.0
MAX_Y_TICKS: Final = 5
# No label of an axis is wider than this for each of its characters; the style sheet has its size.
CHARACTER: Final = 8.0
BAR_SHARE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a drawing: with the page the drawing shrinks, and its letters with it.

    max_x_labels: at most so many labels are below it.
    """

    width: float
    max_x_labels: int


WIDE: Final = Size(width=720.0, max_x_labels=8)
# For a phone: the page shows it where letters of the wide one would be too small to read.
NARROW: Final = Size(width=360.0, max_x_labels=3)


@dataclass(frozen=True, slots=True)
class Series:
    """A row of figures. name: as the page shows it. values: one for each label; None: no figure."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis. at: its coordinate. text: a figure, or on the x axis a label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A figure in a line chart."""

    x: float
    y: float
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a series. paths: attributes `points`, more than one where figures are missing."""

    name: str
    number: int
    paths: Sequence[str]
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure in a bar chart. series: the number of its series."""

    x: float
    y: float
    width: float
    height: float
    series: int
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class ChartMark:
    """Something that happened at a label. text: as the page shows it. note: of it, as it was typed.

    to: the path of a page about it.
    """

    label: str
    text: str
    note: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class MarkedLabel:
    """The marks of one label. number: counts from 1, in the order of the labels."""

    number: int
    label: str
    marks: Sequence[ChartMark]


@dataclass(frozen=True, slots=True)
class MarkLine:
    """Where the marks of one label are drawn."""

    x: float
    marked: MarkedLabel


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart in one size. left: where the figures begin. baseline: y of zero."""

    size: Size
    left: float
    lines: Sequence[Line]
    bars: Sequence[Bar]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    baseline: float
    height: float = HEIGHT
    marks: Sequence[MarkLine] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; labels and series are also what its table shows, and marked what its list shows."""

    labels: Sequence[str]
    series: Sequence[Series]
    wide: Drawing
    narrow: Drawing
    marked: Sequence[MarkedLabel] = ()

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing to see: zeros alone, or no figure."""
        return not any(value for one in self.series for value in one.values)

    @property
    def is_empty(self) -> bool:
        """Whether there is no figure at all."""
        return all(value is None for one in self.series for value in one.values)


def line_chart(
    labels: Sequence[str], series: Sequence[Series], marks: Sequence[ChartMark] = ()
) -> Chart:
    """Return a line for each series. Raises ValueError if a series has not one value a label.

    marks: those of other labels are left out.
    """
    marked = _marked(labels, marks)

    def draw(size: Size) -> Drawing:
        scale = _Scale.of(labels, series, size)
        lines = [_line(scale, number, one) for number, one in enumerate(series)]
        return replace(scale.drawing(lines=lines), marks=_mark_lines(scale, marked))

    return Chart(labels, series, draw(WIDE), draw(NARROW), marked)


def bar_chart(labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Return the bars of all series, side by side. Raises ValueError as `line_chart`."""

    def draw(size: Size) -> Drawing:
        scale = _Scale.of(labels, series, size)
        return scale.drawing(
            bars=[bar for n, one in enumerate(series) for bar in _bars(scale, n, one)]
        )

    return Chart(labels, series, draw(WIDE), draw(NARROW))


def nice_ticks(low: float, high: float) -> list[float]:
    """Return round figures from at most `low` to at least `high`, evenly apart."""
    if high <= low:
        high = low + 1
    # Every figure is a number of things, so no step is smaller than one.
    step = _nice_step(max(1.0, (high - low) / (MAX_Y_TICKS - 1)))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


@dataclass(frozen=True, slots=True)
class _Scale:
    labels: Sequence[str]
    series: Sequence[Series]
    ticks: Sequence[float]
    size: Size

    @classmethod
    def of(cls, labels: Sequence[str], series: Sequence[Series], size: Size) -> "_Scale":
        if any(len(one.values) != len(labels) for one in series):
            raise ValueError("a series has one value for each label")
        values = [value for one in series for value in one.values if value is not None]
        return cls(labels, series, nice_ticks(min([0.0, *values]), max([0.0, *values])), size)

    @property
    def left(self) -> float:
        """Where the figures begin, behind the labels of the y axis."""
        return CHARACTER * (1 + max(len(_figure(value)) for value in self.ticks))

    @property
    def step(self) -> float:
        """The width that one label has."""
        return (self.size.width - self.left - RIGHT) / max(1, len(self.labels))

    def x(self, number: int) -> float:
        return round(self.left + self.step * (number + 0.5), 2)

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 2)

    def drawing(self, lines: Sequence[Line] = (), bars: Sequence[Bar] = ()) -> Drawing:
        every = max(1, math.ceil(len(self.labels) / self.size.max_x_labels))
        room = int(self.step * every / CHARACTER)
        return Drawing(
            self.size,
            self.left,
            lines,
            bars,
            self._x_ticks(every, room),
            [Tick(self.y(value), _figure(value)) for value in self.ticks],
            self.y(0),
        )

    def _x_ticks(self, every: int, room: int) -> list[Tick]:
        """Return labels below their figures; the last is moved from the edge, if there is room."""
        ticks: list[Tick] = []
        ends = 0.0
        for number in range(0, len(self.labels), every):
            text = shortened(self.labels[number], room)
            half = width_of(text) * CHARACTER / 2
            at = min(self.x(number), self.size.width - half)
            if at - half >= ends:
                ticks.append(Tick(at, text))
                ends = at + half
        return ticks


def _figure(value: float) -> str:
    return f"{value:,.0f}"


def shortened(text: str, room: int) -> str:
    """Return a label that has room for so many letters; one of Chinese takes that of two."""
    if width_of(text) <= room:
        return text
    kept = [total for total in accumulate(map(_width, text)) if total < room]
    return text[: len(kept)] + "…"


def width_of(text: str) -> int:
    """Return how wide a text is, in letters."""
    return sum(map(_width, text))


def _width(letter: str) -> int:
    return 2 if east_asian_width(letter) in "WF" else 1


def _line(scale: _Scale, number: int, series: Series) -> Line:
    runs: list[list[Point]] = [[]]
    for place, value in enumerate(series.values):
        if value is None:
            runs.append([])
            continue
        runs[-1].append(Point(scale.x(place), scale.y(value), scale.labels[place], value))
    paths = [" ".join(f"{p.x:g},{p.y:g}" for p in run) for run in runs if run]
    return Line(series.name, number, paths, [point for run in runs for point in run])


def _marked(labels: Sequence[str], marks: Sequence[ChartMark]) -> list[MarkedLabel]:
    of_label: dict[str, list[ChartMark]] = {}
    for mark in marks:
        of_label.setdefault(mark.label, []).append(mark)
    named = [label for label in labels if label in of_label]
    return [
        MarkedLabel(number, label, of_label[label]) for number, label in enumerate(named, start=1)
    ]


def _mark_lines(scale: _Scale, marked: Sequence[MarkedLabel]) -> list[MarkLine]:
    places = {label: place for place, label in enumerate(scale.labels)}
    return [MarkLine(scale.x(places[one.label]), one) for one in marked]


def _bars(scale: _Scale, number: int, series: Series) -> list[Bar]:
    width = scale.step * BAR_SHARE / len(scale.series)
    bars = []
    for place, value in enumerate(series.values):
        if value is None:
            continue
        x = scale.x(place) - scale.step * BAR_SHARE / 2 + number * width
        top, bottom = sorted((scale.y(value), scale.y(0)))
        bars.append(
            Bar(
                round(x, 2),
                top,
                round(width, 2),
                round(bottom - top, 2),
                number,
                scale.labels[place],
                value,
            )
        )
    return bars
