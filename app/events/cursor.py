"""Positions of a reader in a list, and their text form, which is opaque to clients. No I/O."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_ARRIVAL = re.compile(r"a-(\d{1,18})", re.ASCII)
_TIME = re.compile(r"t-(\d{1,18})-(\d{1,17})-(\d{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ByArrival:
    """Continue after this position. New rows get higher ones, so it can be used again later."""

    position: int

    def __str__(self) -> str:
        return f"a-{self.position}"


@dataclass(frozen=True, slots=True)
class ByTime:
    """Continue after this time and position, among the rows up to `horizon`.

    The horizon is the end of the list when the first page was read. A row that arrives later with
    an earlier time is not part of this reading, so no page can miss it.
    """

    horizon: int
    at: datetime
    position: int

    def __str__(self) -> str:
        return f"t-{self.horizon}-{(self.at - _EPOCH) // _MICROSECOND}-{self.position}"


Cursor = ByArrival | ByTime


def read(text: str) -> Cursor:
    """Return the cursor of a text form. Raises ValueError."""
    found = _ARRIVAL.fullmatch(text)
    if found is not None:
        return ByArrival(int(found[1]))
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("pass the `next` of the page before, unchanged")
    return ByTime(int(found[1]), _EPOCH + int(found[2]) * _MICROSECOND, int(found[3]))
