"""Reads whether followers have an open send window, for pushes that open none themselves."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

import structlog

from app.db.batches import Batches
from app.db.brief_connection import BriefConnection
from app.db.engine import UNAVAILABLE_ERRORS
from app.replies import message_window
from app.replies.send_windows import Limits

# WeChat waits 5 s in all, and the rest of the time is needed for the commit.
READ_SECONDS: Final = 1.0
MAX_BATCH: Final = 500

_Person: TypeAlias = tuple[str, str, datetime]

# Windows whose sends are reserved for other replies count as open: those may still fail.
_READ: Final = f"""
SELECT EXISTS (
    SELECT FROM send_windows w
    WHERE w.appid = person.appid AND w.openid = person.openid
      AND w.sends_left > 0 AND w.expires_at > person.now
) OR EXISTS ({message_window.written("person.", "person.now - $4::interval")})
FROM unnest($1::text[], $2::text[], $3::timestamptz[])
    WITH ORDINALITY AS person(appid, openid, now, number)
ORDER BY number
"""  # noqa: S608 - constants of this package

log = structlog.get_logger()


class OpenWindows:
    """Reads windows for callbacks; those that wait at the same time share one query."""

    def __init__(self, connection: BriefConnection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._reads = Batches(self._read, most=MAX_BATCH)

    async def none_is_open(self, appid: str, openid: str, now: datetime) -> bool:
        """Return whether a follower is known to have no open send window.

        False if the database does not answer within READ_SECONDS: nothing is known then.
        """
        try:
            async with asyncio.timeout(READ_SECONDS):
                return not await self._reads.do((appid, openid, now))
        except UNAVAILABLE_ERRORS as error:
            log.warning("replies.windows_not_read", error=type(error).__name__)
            return False

    async def _read(self, people: Sequence[_Person]) -> Sequence[bool]:
        appids, openids, moments = zip(*people, strict=True)
        async with self._connection.use() as connection:
            rows = await connection.fetch(
                _READ, appids, openids, moments, message_window.life_of(self._limits)
            )
        return [row[0] for row in rows]
