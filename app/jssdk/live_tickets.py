"""The tickets as a web process knows them, so that a signature costs no query."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.jssdk import ticket_store
from app.jssdk.ticket_store import Ticket
from app.secret_box import SecretBox
from app.wechat.ids import AppId
from app.wechat_client.single_flight import SingleFlight

# The worker has a new ticket long before the end of the one before.
MAX_AGE_SECONDS: Final = 60.0
# While there is no ticket, or no database, it is looked for this often.
RETRY_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 2.0

log = structlog.get_logger()


class LiveTickets:
    """Finds tickets by account. What was read last holds while the database is unavailable."""

    def __init__(
        self,
        sessions: SessionFactory,
        box: SecretBox,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._box = box
        self._clock = clock
        self._monotonic = monotonic
        self._known: dict[AppId, Ticket] = {}
        self._next_read: dict[AppId, float] = {}
        self._single_flight = SingleFlight()

    async def find(self, appid: AppId) -> Ticket | None:
        """Return the ticket; None if there is none that is valid now."""
        if self._is_due(appid):
            async with self._single_flight.run(appid):
                if self._is_due(appid):
                    await self._read(appid)
        ticket = self._known.get(appid)
        return ticket if ticket is not None and self._clock.now() < ticket.expires_at else None

    def _is_due(self, appid: AppId) -> bool:
        return self._monotonic() >= self._next_read.get(appid, float("-inf"))

    async def _read(self, appid: AppId) -> None:
        found: Ticket | None = None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._sessions() as session:
                found = await ticket_store.read(session, self._box, appid)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("jssdk.ticket_not_read", appid=appid, error=type(error).__name__)
        if found is not None:
            self._known[appid] = found
        self._next_read[appid] = self._monotonic() + (
            RETRY_SECONDS if found is None else MAX_AGE_SECONDS
        )
