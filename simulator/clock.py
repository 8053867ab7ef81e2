"""The simulator's time: the machine's time, plus what control calls have added."""

from datetime import UTC, datetime, timedelta


class MovableClock:
    """A clock that can be moved forward, so that tests need not wait."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the simulated time (UTC), which tokens, media and send windows follow."""
        return self.wall() + self._ahead

    def wall(self) -> datetime:
        """Return the machine's time (UTC), which pushes carry.

        The service under test follows the machine's clock and would refuse a push from the future
        as outside its replay window.
        """
        return datetime.now(UTC)

    def advance(self, step: timedelta) -> None:
        """Move the simulated time forward by `step`."""
        self._ahead += step
