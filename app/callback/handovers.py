"""Lets queued replies follow the passive reply to the same push.

Their job is enqueued with the callback, and waits so long that WeChat has hung up and repeated its
push by then. Once a response has been handed over, the job may start a moment later.
"""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import anyio
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive

from app.db.brief import brief_transaction
from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.db.queue import raw_connection, start_after
from app.replies.jobs import deliver_key

# WeChat closes the connection after so long, and repeats the push (protocol 3).
WECHAT_WAITS: Final = timedelta(seconds=5)
STOP_SECONDS: Final = 1.0

log = structlog.get_logger()


def wait_for_handover(delay: timedelta) -> timedelta | None:
    """Return how long a job waits if no response is handed over; None if it does not wait."""
    return WECHAT_WAITS + delay if delay else None


async def has_hung_up(receive: Receive) -> bool:
    """Tell whether the client of a request whose body is read has closed the connection."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        message = await receive()
        return bool(message["type"] == "http.disconnect")
    return False


class Handovers:
    """The responses that were handed over; their queued replies start `delay` later."""

    def __init__(self, sessions: SessionFactory, delay: timedelta) -> None:
        self._sessions = sessions
        self._delay = delay
        self._waiting: list[UUID] = []
        self._telling: asyncio.Task[None] | None = None

    def add(self, callback_id: UUID | None) -> None:
        """Note that the response to a push was handed over. Nobody waits for the database.

        callback_id: None if no queued reply follows that response.
        """
        if callback_id is None or not self._delay:
            return
        self._waiting.append(callback_id)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def stop(self) -> None:
        """Return once all that was noted is told, or STOP_SECONDS later.

        What is being told then is given up. If the database hangs, that ends with its connection.
        """
        if self._telling is None:
            return
        _, pending = await asyncio.wait({self._telling}, timeout=STOP_SECONDS)
        if pending:
            self._waiting.clear()
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._waiting:
            keys = [deliver_key(callback_id) for callback_id in self._waiting]
            self._waiting.clear()
            try:
                async with brief_transaction(self._sessions) as session:
                    await start_after(await raw_connection(session), keys, self._delay)
            except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
                # The jobs start by themselves, only later.
                log.warning("callback.handover_not_told", reason=describe(error))
