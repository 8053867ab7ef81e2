"""The time limit of one commit: how long the database may take, whatever keeps this process busy.

A plain timer would count the time in which our own event loop was too busy to read the answer, and
take a healthy database for an unavailable one under load. This one counts in short steps, and of a
step that came late only what it should have taken.
"""

import asyncio
from collections.abc import Callable
from typing import Final

STEP_SECONDS: Final = 0.1
# What one step counts at most: a loop that is a little late is nothing unusual.
MAX_STEP_SECONDS: Final = 0.2


class CommitTimer:
    """Calls `on_expiry` once, when the database has had `seconds` to answer. Starts at once."""

    def __init__(self, seconds: float, on_expiry: Callable[[], None]) -> None:
        self.left = seconds
        self._on_expiry = on_expiry
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._handle = self._loop.call_later(STEP_SECONDS, self._step)

    @property
    def expired(self) -> bool:
        """Whether the time is up."""
        return self.left <= 0

    def cancel(self) -> None:
        """Stop the timer."""
        self._handle.cancel()

    def _step(self) -> None:
        now = self._loop.time()
        self.left -= min(now - self._last, MAX_STEP_SECONDS)
        self._last = now
        if self.expired:
            self._on_expiry()
        else:
            self._handle = self._loop.call_later(STEP_SECONDS, self._step)
