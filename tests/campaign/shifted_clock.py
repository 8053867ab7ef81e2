"""`oa-bridge` on a machine whose clock is off: `python -m tests.campaign.shifted_clock ARGUMENTS`.

The offset stands in the environment. Only what the application takes for the clock of its machine
is shifted; timers and the log are not.
"""

import os
from datetime import UTC, datetime, timedelta

from app import clock

VARIABLE = "CAMPAIGN_CLOCK_OFFSET_SECONDS"


def shift(seconds: float) -> None:
    """Shift the machine's clock in this process. Call this before other modules are imported."""
    offset = timedelta(seconds=seconds)

    def machine_now() -> datetime:
        return datetime.now(UTC) + offset

    clock.machine_now = machine_now
    clock.SystemClock.__init__.__defaults__ = (machine_now,)


if __name__ == "__main__":
    shift(float(os.environ[VARIABLE]))
    # Other modules take the function by its name.
    from app.cli.main import main

    main()
