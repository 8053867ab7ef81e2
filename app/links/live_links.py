"""The links as a web process knows them, so that an open costs no query.

A link is read again when it is opened and was read more than MAX_AGE_SECONDS ago. While the
database is unavailable, what was read last holds.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.links.models import Link
from app.wechat_client.single_flight import SingleFlight

MAX_AGE_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 2.0
# A database that does not answer is asked again after this, so that opens do not queue for it.
RETRY_SECONDS: Final = 1.0
MAX_KNOWN: Final = 10_000

log = structlog.get_logger()


class LinksUnavailable(Exception):
    """The link can't be read, and this process has not known it before."""


@dataclass(frozen=True, slots=True)
class LiveLink:
    """What an open needs. url_link: None while there is none; expires_at: its end."""

    id: UUID
    slug: str
    name: str
    query: str
    url_link: str | None
    expires_at: datetime | None
    fallback_url: str | None

    def url_link_at(self, now: datetime) -> str | None:
        """Return the URL Link if it lives."""
        return self.url_link if self.expires_at is not None and now < self.expires_at else None


@dataclass(frozen=True, slots=True)
class _Known:
    link: LiveLink | None
    read_at: float


class LiveLinks:
    """Finds links by slug."""

    def __init__(
        self, sessions: SessionFactory, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._failed_at = float("-inf")
        self._single_flight = SingleFlight()

    async def find(self, slug: str) -> LiveLink | None:
        """Return the link; None if there is none. Raises LinksUnavailable."""
        known = self._known.get(slug)
        if known is not None and self._is_fresh(known):
            return known.link
        async with self._single_flight.run(slug):
            known = self._known.get(slug)
            if known is None or not self._is_fresh(known):
                known = await self._read(slug) or known
        if known is None:
            raise LinksUnavailable
        return known.link

    def _is_fresh(self, known: _Known) -> bool:
        return self._monotonic() - known.read_at <= MAX_AGE_SECONDS

    async def _read(self, slug: str) -> _Known | None:
        began = self._monotonic()
        if began - self._failed_at < RETRY_SECONDS:
            return None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._sessions() as session:
                row = (await session.execute(_COLUMNS.where(Link.slug == slug))).one_or_none()
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            self._failed_at = self._monotonic()
            log.warning("links.not_read", error=type(error).__name__)
            return None
        known = _Known(None if row is None else LiveLink(*row), began)
        self._known[slug] = known
        self._known.move_to_end(slug)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return known


_COLUMNS: Final = select(
    Link.id,
    Link.slug,
    Link.name,
    Link.query,
    Link.url_link,
    Link.url_link_expires_at,
    Link.fallback_url,
)
