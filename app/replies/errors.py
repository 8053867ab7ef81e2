"""Why a job of this room stops before its end.

TryLater   the job runs again after `delay`
"""

from datetime import timedelta


class TryLater(Exception):
    """Not now: run the job again after `delay`."""

    def __init__(self, delay: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.delay = delay
        self.reason = reason
