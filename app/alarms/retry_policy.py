"""When a receiver that does not take messages is tried again. Pure."""

from datetime import datetime, timedelta
from typing import Final

# The last pause goes on for ever: an alarm that lasts is worth a message.
PAUSES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
)
# What a receiver asks for itself is believed up to so long.
MAX_PAUSE: Final = timedelta(hours=6)


def next_attempt(failures: int, asked: timedelta, now: datetime) -> datetime:
    """Return when to try again. failures: in a row, with this one. asked: by the receiver."""
    pause = PAUSES[min(failures, len(PAUSES)) - 1]
    return now + max(pause, min(asked, MAX_PAUSE))
