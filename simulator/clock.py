"""The simulator's time: the machine's, plus what a control call has added."""

from datetime import UTC, datetime, timedelta


class MovableClock:
    """Runs with the machine's clock and can be moved forward, so that tests need no waiting."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the simulated moment (UTC): tokens, media and send windows live by it."""
        return self.wall() + self._ahead

    def wall(self) -> datetime:
        """Return the machine's moment (UTC).

        Pushes carry this one: the service under test lives by the machine's clock and would
        refuse a push from the future as outside its replay window.
        """
        return datetime.now(UTC)

    def advance(self, step: timedelta) -> None:
        """Move the simulated moment forward by `step`."""
        self._ahead += step
