"""Send windows: how many customer-service messages an account may send after a follower acted.

Source: protocol 6.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from simulator.errors import ApiError


class Trigger(StrEnum):
    """The action of a follower that opens a window."""

    MESSAGE = "message"
    MENU = "menu"
    FOLLOW = "follow"
    SCAN = "scan"


QUOTAS = {
    Trigger.MESSAGE: (5, timedelta(hours=48)),
    Trigger.MENU: (3, timedelta(minutes=1)),
    Trigger.FOLLOW: (3, timedelta(minutes=1)),
    Trigger.SCAN: (3, timedelta(minutes=1)),
}

# Event names are compared in lower case, because documents and SDKs spell them differently.
EVENT_TRIGGERS = {
    "click": Trigger.MENU,
    "scancode_push": Trigger.MENU,
    "scancode_waitmsg": Trigger.MENU,
    "subscribe": Trigger.FOLLOW,
    "scan": Trigger.SCAN,
}


def trigger_of(document: Mapping[str, object]) -> Trigger | None:
    """Return the window that a pushed document opens, or None (VIEW, FINISH events …).

    A tapped item of a `msgmenu` message arrives as text but counts as a menu tap.
    """
    if document.get("MsgType") == "event":
        return EVENT_TRIGGERS.get(str(document.get("Event", "")).lower())
    return Trigger.MENU if document.get("bizmsgmenuid") else Trigger.MESSAGE


@dataclass(slots=True)
class Window:
    """One open window. left: how many messages may still be sent in it."""

    until: datetime
    left: int


@dataclass(slots=True)
class SendWindows:
    """The windows of one follower, one per trigger."""

    windows: dict[Trigger, Window] = field(default_factory=dict)

    def open(self, trigger: Trigger, now: datetime) -> None:
        """Open the window of `trigger`, or renew it, with its full number of messages."""
        sends, lasts = QUOTAS[trigger]
        self.windows[trigger] = Window(now + lasts, sends)

    def spend(self, now: datetime) -> Trigger:
        """Count one message against the window that ends first, and return its trigger.

        Raises ApiError 45015 when no window is open, 45047 when all open ones are used up.
        """
        open_windows = self.open_windows(now)
        if not open_windows:
            raise ApiError(45015)
        usable = [trigger for trigger, window in open_windows.items() if window.left > 0]
        if not usable:
            raise ApiError(45047)
        first = min(usable, key=lambda trigger: open_windows[trigger].until)
        open_windows[first].left -= 1
        return first

    def open_windows(self, now: datetime) -> dict[Trigger, Window]:
        """Return the windows that have not ended, including those that are used up."""
        return {trigger: w for trigger, w in self.windows.items() if now < w.until}

    def close(self) -> None:
        """Close all windows, because the follower has unfollowed."""
        self.windows.clear()
