"""Puts WeChat's figures beside ours. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.datacube.measures import FOLLOWERS, MEASURES, Measure
from app.datacube.models import PushDay, VisitDay, WeChatFigures
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


@dataclass(frozen=True, slots=True)
class Ours:
    """What the service counted of one account. followers: at the end of each day."""

    pushes: Sequence[PushDay] = ()
    visits: Sequence[VisitDay] = ()
    followers: Mapping[date, int] = field(default_factory=dict)


def difference(theirs: int | None, ours: int | None) -> float | None:
    """Return ours less theirs as a share of theirs; None if one is not known, or theirs is 0."""
    if theirs is None or ours is None or (theirs == 0 and ours):
        return None
    return (ours - theirs) / theirs if theirs else 0.0


def compare(
    calls: Sequence[FigureCall],
    days: Sequence[date],
    figures: Sequence[WeChatFigures],
    ours: Ours,
) -> list[Comparison]:
    """Return the measures of these calls for one account."""
    read = {(FigureCall(one.call), one.day): one for one in figures if one.rows is not None}
    counted = {one.day: one for one in ours.pushes if one.covered}
    reported = {one.day: one for one in ours.visits if one.launches}
    return [
        Comparison(
            measure, list(_pairs(measure, days, read, _Own(counted, reported, ours.followers)))
        )
        for measure in MEASURES
        if measure.call in calls
    ]


@dataclass(frozen=True, slots=True)
class _Own:
    """`Ours` by day."""

    pushes: Mapping[date, PushDay]
    visits: Mapping[date, VisitDay]
    followers: Mapping[date, int]

    def of(self, measure: Measure, day: date) -> int | None:
        """Return our figure of a day; None if it is not known."""
        if measure.reported is not None:
            visits = self.visits.get(day)
            return None if visits is None else measure.reported(visits)
        pushes = self.pushes.get(day)
        if pushes is None:
            return None
        if measure.name == FOLLOWERS:
            return self.followers.get(day)
        return None if measure.ours is None else measure.ours(pushes)


def _pairs(
    measure: Measure,
    days: Sequence[date],
    read: Mapping[tuple[FigureCall, date], WeChatFigures],
    own: _Own,
) -> Iterator[Pair]:
    for day in days:
        found = read.get((measure.call, day))
        theirs = None if found is None or found.rows is None else measure.theirs(found.rows)
        yield Pair(day, theirs, own.of(measure, day), settled=found is None or found.try_at is None)
