"""Puts WeChat's figures beside ours. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.datacube.measures import FOLLOWERS, MEASURES, Measure
from app.datacube.models import PushDay, WeChatFigures
from app.wechat.datacube import FigureCall

# A greater share of follows or messages that is missing means that pushes are lost.
TOLERANCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Pair:
    """WeChat's figure of a day, and ours. theirs: None while it is not read; ours: not known.

    settled: WeChat's figure does not change any more.
    """

    day: date
    theirs: int | None
    ours: int | None
    settled: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether both are known."""
        return self.theirs is not None and self.ours is not None

    @property
    def difference(self) -> float | None:
        """Ours less WeChat's, as a share of WeChat's; None if that can't be said."""
        return difference(self.theirs, self.ours)

    @property
    def differs(self) -> bool:
        """Whether they differ by more than TOLERANCE."""
        if self.theirs is None or self.ours is None:
            return False
        return abs(self.ours - self.theirs) > TOLERANCE * self.theirs


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure over some days."""

    measure: Measure
    pairs: Sequence[Pair]

    @property
    def compared(self) -> Sequence[Pair]:
        """The days of which both figures are known."""
        return [pair for pair in self.pairs if pair.is_complete]

    @property
    def theirs(self) -> int | None:
        """WeChat's total of the days that are compared; of all days if none has a figure of ours.

        None if WeChat has none either.
        """
        known = [one.theirs for one in self.compared or self.pairs if one.theirs is not None]
        return self.measure.total(known) if known else None

    @property
    def ours(self) -> int | None:
        """Our total of the days that are compared; None if there are none."""
        known = [one.ours for one in self.compared if one.ours is not None]
        return self.measure.total(known) if known else None

    @property
    def difference(self) -> float | None:
        """Ours less WeChat's over these days, as a share of WeChat's."""
        return difference(self.theirs, self.ours)


def difference(theirs: int | None, ours: int | None) -> float | None:
    """Return ours less theirs as a share of theirs; None if one is not known, or theirs is 0."""
    if theirs is None or ours is None or (theirs == 0 and ours):
        return None
    return (ours - theirs) / theirs if theirs else 0.0


def compare(
    calls: Sequence[FigureCall],
    days: Sequence[date],
    figures: Sequence[WeChatFigures],
    pushes: Sequence[PushDay],
    followers: Mapping[date, int],
) -> list[Comparison]:
    """Return the measures of these calls for one account. followers: ours at the end of days."""
    read = {(FigureCall(one.call), one.day): one for one in figures if one.rows is not None}
    counted = {one.day: one for one in pushes if one.covered}
    return [
        Comparison(measure, list(_pairs(measure, days, read, counted, followers)))
        for measure in MEASURES
        if measure.call in calls
    ]


def _pairs(
    measure: Measure,
    days: Sequence[date],
    read: Mapping[tuple[FigureCall, date], WeChatFigures],
    counted: Mapping[date, PushDay],
    followers: Mapping[date, int],
) -> Iterator[Pair]:
    for day in days:
        found, own = read.get((measure.call, day)), counted.get(day)
        theirs = None if found is None or found.rows is None else measure.theirs(found.rows)
        if measure.name == FOLLOWERS:
            ours = None if own is None else followers.get(day)
        else:
            ours = None if own is None or measure.ours is None else measure.ours(own)
        yield Pair(day, theirs, ours, settled=found is None or found.try_at is None)
