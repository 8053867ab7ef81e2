"""Which ids belong to a time. Pure."""

from datetime import datetime
from typing import Final
from uuid import UUID

# Of a UUIDv7, below those of the time.
_LAST_BITS: Final = 80


def first_id(moment: datetime) -> UUID:
    """Return the lowest UUIDv7 of a moment: its first 48 bits are Unix milliseconds.

    Before 1970 it is the lowest id of all.
    """
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << _LAST_BITS)
