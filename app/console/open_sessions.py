"""Which sessions of open streams have ended: one query tells for all streams of this process.

The gate looks a session up when a request begins, and a stream goes on for minutes after that.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.access import sessions
from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, Database

CHECK_SECONDS: Final = 3.0


class OpenSessions:
    """The sessions that have a stream open. check_seconds: between two queries."""

    def __init__(
        self, database: Database, clock: Clock, *, check_seconds: float = CHECK_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._check_seconds = check_seconds
        self._open: Counter[UUID] = Counter()
        self._ended: frozenset[UUID] = frozenset()
        self._checked_at = 0.0
        self._checking = asyncio.Lock()

    @contextmanager
    def streaming(self, session_id: UUID) -> Iterator[None]:
        """Look after a session while its stream is open."""
        self._open[session_id] += 1
        try:
            yield
        finally:
            self._open[session_id] -= 1
            self._open += Counter()  # without those that are at zero

    async def has_ended(self, session_id: UUID) -> bool:
        """Return whether the session had ended a moment ago.

        While the database is unavailable nothing is known, and no stream is ended.
        """
        async with self._checking:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at >= self._check_seconds:
                self._checked_at = now
                try:
                    self._ended = await self._find_ended()
                except (*UNAVAILABLE_ERRORS, SQLAlchemyError):
                    self._ended = frozenset()
        return session_id in self._ended

    async def _find_ended(self) -> frozenset[UUID]:
        open_now = frozenset(self._open)
        async with self._database.sessions() as session:
            valid = await sessions.valid_among(session, open_now, now=self._clock.now())
        return open_now - valid
