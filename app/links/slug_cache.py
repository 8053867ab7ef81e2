"""Rows by slug as a web process knows them, so that a public address costs no query.

A row is read again when it is asked for and was read more than MAX_AGE_SECONDS ago. While the
database is unavailable, what was read last holds.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.wechat_client.single_flight import SingleFlight

MAX_AGE_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 2.0
# A database that does not answer is asked again after this, so that visitors do not queue for it.
RETRY_SECONDS: Final = 1.0
MAX_KNOWN: Final = 10_000

Row = TypeVar("Row")
Read: TypeAlias = Callable[[AsyncSession, str], Awaitable[Row | None]]

log = structlog.get_logger()


class SlugUnavailable(Exception):
    """The row can't be read, and this process has not known it before."""


@dataclass(frozen=True, slots=True)
class _Known(Generic[Row]):
    row: Row | None
    read_at: float


class SlugCache(Generic[Row]):
    """Finds rows by slug. read: returns the row of a slug; None if there is none."""

    def __init__(
        self,
        sessions: SessionFactory,
        read: Read[Row],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._read_row = read
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Known[Row]] = OrderedDict()
        self._failed_at = float("-inf")
        self._single_flight = SingleFlight()

    async def find(self, slug: str) -> Row | None:
        """Return the row; None if there is none. Raises SlugUnavailable."""
        known = self._known.get(slug)
        if known is not None and self._is_fresh(known):
            return known.row
        async with self._single_flight.run(slug):
            known = self._known.get(slug)
            if known is None or not self._is_fresh(known):
                known = await self._read(slug) or known
        if known is None:
            raise SlugUnavailable
        return known.row

    def _is_fresh(self, known: _Known[Row]) -> bool:
        return self._monotonic() - known.read_at <= MAX_AGE_SECONDS

    async def _read(self, slug: str) -> _Known[Row] | None:
        began = self._monotonic()
        if began - self._failed_at < RETRY_SECONDS:
            return None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._sessions() as session:
                row = await self._read_row(session, slug)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            self._failed_at = self._monotonic()
            log.warning("links.not_read", error=type(error).__name__)
            return None
        known = _Known(row, began)
        self._known[slug] = known
        self._known.move_to_end(slug)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return known
