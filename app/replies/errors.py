"""Errors of the jobs of this package.

TryLater   the job stops now and runs again after `delay`
"""

from datetime import timedelta


class TryLater(Exception):
    """The job must run again after `delay`. errcode: WeChat's, if that is why."""

    def __init__(self, delay: timedelta, reason: str, errcode: int | None = None) -> None:
        super().__init__(reason)
        self.delay = delay
        self.reason = reason
        self.errcode = errcode
