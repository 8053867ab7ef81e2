"""Finds the times in which no push came although many were to be expected. Pure.

What is to be expected is what came at the same hours on the days before: no night looks like an
outage, and neither does an account that people seldom write to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.clock import SHANGHAI
from app.datacube.days import end_of

HOURS: Final = 24
HOUR: Final = timedelta(hours=1)
# By chance, none comes once in many millions of years where this many are to be expected.
UNUSUAL: Final = 20
MIN_SILENCE: Final = timedelta(minutes=30)
# With fewer days before, nothing is known about an account.
MIN_DAYS: Final = 2
MAX_DAYS: Final = 7
MAX_SILENCES: Final = 20
# A longer silence is unusual without being reckoned to its end.
MAX_RECKONED: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Burst:
    """Pushes that came one soon after the other: the first and the last of some minutes."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any push. until: None if it went on when the day ended."""

    since: datetime
    until: datetime | None


def silences(
    day: date,
    bursts: Sequence[Burst],
    before: datetime | None,
    hours_before: Sequence[Sequence[int]],
) -> list[Silence]:
    """Return the unusual silences that end on a day, or go on at its end.

    bursts: of the day, in their order. before: when the last push before the day came; None: never.
    hours_before: how many pushes came in each hour of the days before, the latest day first.
    """
    usual = hours_before[:MAX_DAYS]
    if len(usual) < MIN_DAYS:
        return []
    found = [one for one in _pauses(day, bursts, before) if _is_unusual(one, end_of(day), usual)]
    return found[:MAX_SILENCES]


def _pauses(day: date, bursts: Sequence[Burst], before: datetime | None) -> Iterator[Silence]:
    last = before
    for burst in bursts:
        if last is not None:
            yield Silence(last, burst.first)
        last = burst.last
    if last is not None and last < end_of(day):
        yield Silence(last, None)


def _is_unusual(one: Silence, end: datetime, usual: Sequence[Sequence[int]]) -> bool:
    until = one.until or end
    if until - one.since < MIN_SILENCE:
        return False
    return _expected(one.since, min(until, one.since + MAX_RECKONED), usual) >= UNUSUAL


def _expected(since: datetime, until: datetime, usual: Sequence[Sequence[int]]) -> float:
    """Return how many pushes usually come in a time."""
    total = 0.0
    at = since.astimezone(SHANGHAI)
    while at < until:
        step = min(at.replace(minute=0, second=0, microsecond=0) + HOUR, until)
        mean = sum(day[at.hour] for day in usual) / len(usual)
        total += mean * ((step - at) / HOUR)
        at = step.astimezone(SHANGHAI)
    return total
