"""`oa-bridge` with a clock that is off: `python -m tests.campaign.shifted_clock ARGUMENTS`.

The offset stands in the environment. Only the clock of the application is shifted, which all of
its code reads the time from; those of timers and of the log are not.
"""

import os
from datetime import UTC, datetime, timedelta

from app import clock
from app.cli.main import main

VARIABLE = "CAMPAIGN_CLOCK_OFFSET_SECONDS"


def shift(seconds: float) -> None:
    """Shift the application's clock in this process."""
    offset = timedelta(seconds=seconds)

    def now(self: clock.SystemClock) -> datetime:  # noqa: ARG001 - as the method has it
        return datetime.now(UTC) + offset

    clock.SystemClock.now = now  # type: ignore[method-assign]


if __name__ == "__main__":
    shift(float(os.environ[VARIABLE]))
    main()
