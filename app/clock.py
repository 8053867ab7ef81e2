"""The clock. All code gets the present time from it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

import structlog

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
"""WeChat's days and months begin there, whatever zone the reader is in."""

# From here on an operator is warned.
MAX_DIFFERENCE_SECONDS: Final = 5.0
# A smaller difference is that of the way to the database and back.
_JITTER: Final = timedelta(seconds=0.1)

Other: TypeAlias = Literal["database", "wechat"]

log = structlog.get_logger()


class Clock(Protocol):
    """Returns the present time. Tests use a clock that stands still."""

    def now(self) -> datetime:
        """Return the present time in UTC, timezone-aware."""
        ...


def machine_now() -> datetime:
    """Return the time of the machine's clock."""
    return datetime.now(UTC)


class SystemClock:
    """The database's clock, or the machine's until the two have been compared.

    All processes decide about send windows, cooldowns and retention by one clock, so a machine
    whose clock is wrong does no harm.
    """

    def __init__(self, machine: Callable[[], datetime] = machine_now) -> None:
        self.machine = machine
        self._set: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the present time in UTC, timezone-aware."""
        if self._set is None:
            return self.machine()
        moment, at = self._set
        return moment + timedelta(seconds=time.monotonic() - at)

    def set(self, moment: datetime) -> None:
        """Go on from this present moment. The machine's clock no longer matters."""
        if self._set is None or abs(self.now() - moment) > _JITTER:
            self._set = moment, time.monotonic()


class ClockDifferences:
    """How far this machine's clock is ahead of other clocks, in seconds; negative: behind."""

    def __init__(self) -> None:
        self.seconds: dict[Other, float] = {}

    def record(self, other: Other, seconds: float) -> None:
        """Record a difference. It is logged when it becomes too large, and when that is over."""
        before = self.seconds.get(other, 0.0)
        self.seconds[other] = seconds
        if is_too_large(seconds) and not is_too_large(before):
            log.warning("clock.differs", other=other, seconds=round(seconds, 1))
        elif is_too_large(before) and not is_too_large(seconds):
            log.info("clock.agrees", other=other)


def is_too_large(seconds: float) -> bool:
    """Return whether an operator must be warned of a difference."""
    return abs(seconds) >= MAX_DIFFERENCE_SECONDS


# Of this process.
DIFFERENCES: Final = ClockDifferences()
