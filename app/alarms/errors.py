"""Errors of alarms.

AlarmError
 ├ BadThreshold      a threshold is out of its bounds
 ├ StaleThreshold    a threshold is not the one that was read
 ├ BadReceiver       a member of a receiver is missing or wrong
 ├ TooManyReceivers  there are as many receivers as there may be
 └ RecentlyTested    a receiver was sent a test just now
"""


class AlarmError(Exception):
    """Base class of all errors of this package."""


class BadThreshold(AlarmError):
    """A threshold is out of its bounds. field: which member is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class StaleThreshold(AlarmError):
    """A threshold is not the one that was read. tag: of what is set now."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class BadReceiver(AlarmError):
    """A member of a receiver is missing or wrong. field: which one."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyReceivers(AlarmError):
    """There are as many receivers as there may be."""


class RecentlyTested(AlarmError):
    """A receiver was sent a test just now: group robots take few messages a minute."""
