"""Where a reader stands in a list: pure. What is given out is opaque to clients."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_ARRIVAL = re.compile(r"a-(\d{1,18})", re.ASCII)
_TIME = re.compile(r"t-(\d{1,18})-(\d{1,17})-(\d{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ByArrival:
    """After this position. New rows come behind it, and so the place may be kept for later."""

    position: int

    def __str__(self) -> str:
        return f"a-{self.position}"


@dataclass(frozen=True, slots=True)
class ByTime:
    """After this moment and position, among the rows up to `horizon`.

    The horizon is where the first page found the end of the list: a row that arrives later
    with an earlier time is not of this reading, and can't be missed by it.
    """

    horizon: int
    at: datetime
    position: int

    def __str__(self) -> str:
        return f"t-{self.horizon}-{(self.at - _EPOCH) // _MICROSECOND}-{self.position}"


Place = ByArrival | ByTime


def read(text: str) -> Place:
    """Return the place that `text` stands for. Raises ValueError."""
    found = _ARRIVAL.fullmatch(text)
    if found is not None:
        return ByArrival(int(found[1]))
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("pass the `next` of the page before, unchanged")
    return ByTime(int(found[1]), _EPOCH + int(found[2]) * _MICROSECOND, int(found[3]))
