"""Limits how often one event is logged, so that nobody can fill the log from outside."""

import time
from collections.abc import Callable
from typing import Final

LOG_SECONDS: Final = 10.0


class LogLimit:
    """Allows one log line in LOG_SECONDS, and counts what is left out."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._next_at = 0.0
        self._count = 0

    def take(self) -> int | None:
        """Count one event; return how many happened since the last line, if a line is due now."""
        self._count += 1
        now = self._monotonic()
        if now < self._next_at:
            return None
        self._next_at = now + LOG_SECONDS
        count, self._count = self._count, 0
        return count
