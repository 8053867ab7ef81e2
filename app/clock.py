"""The clock. All code gets the present time from it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the present time. Tests use a clock that stands still."""

    def now(self) -> datetime:
        """Return the present time in UTC, timezone-aware."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present time in UTC, timezone-aware."""
        return datetime.now(UTC)
