"""How many pushes were refused, by account, reason and hour, over all processes, for the doctor.

The endpoint counts in memory: a refused push must not cost a query. Each process adds its counts to
`callback_refusals` every few seconds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory

STORE_SECONDS: Final = 5.0
# Accounts, reasons and hours are few; the hours add up while the database is unavailable.
MAX_COUNTS: Final = 5_000
KEPT_FOR: Final = timedelta(days=8)
# In the place of the AppID: the path named none that is configured.
UNKNOWN_ACCOUNT: Final = ""

# Ordered, so that two processes lock the rows in the same order.
_ADD: Final = text("""
INSERT INTO callback_refusals AS r (appid, reason, hour, count, seen_at)
SELECT appid, reason, hour, count, seen_at
FROM unnest(
    CAST(:appids AS text[]), CAST(:reasons AS text[]), CAST(:hours AS timestamptz[]),
    CAST(:counts AS bigint[]), CAST(:seen AS timestamptz[])
) AS c(appid, reason, hour, count, seen_at)
ORDER BY appid, reason, hour
ON CONFLICT (appid, reason, hour) DO UPDATE
SET count = r.count + excluded.count, seen_at = greatest(r.seen_at, excluded.seen_at)
""")

_FORGET: Final = text("DELETE FROM callback_refusals WHERE hour < :before")

log = structlog.get_logger(__name__)

_Key: TypeAlias = tuple[str, str, datetime]


@dataclass(slots=True)
class _Count:
    number: int
    seen_at: datetime


class RefusalCounts:
    """The refusals that this process has counted and not stored yet."""

    def __init__(self, sessions: SessionFactory, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._counts: dict[_Key, _Count] = {}
        self._at_work = asyncio.Lock()

    def add(self, appid: str | None, reason: str) -> None:
        """Count one refused push. appid: None if it is not one that is configured."""
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        self._merge((appid or UNKNOWN_ACCOUNT, reason, hour), _Count(1, now))

    async def keep_stored(self) -> None:
        """Store what is new every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            async with self._at_work:
                await self.store()

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""
        async with self._at_work:
            return

    async def store(self) -> None:
        """Add what is new to the table; all of it later if the database is unavailable."""
        taken, self._counts = self._counts, {}
        if not taken:
            return
        stored = False
        try:
            async with brief_transaction(self._sessions) as session:
                await session.execute(_ADD, _columns(taken))
            stored = True
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("callback.refusals_not_stored", error=type(error).__name__)
        finally:
            if not stored:
                for key, count in taken.items():
                    self._merge(key, count)

    def _merge(self, key: _Key, count: _Count) -> None:
        known = self._counts.get(key)
        if known is not None:
            known.number += count.number
            known.seen_at = max(known.seen_at, count.seen_at)
        elif len(self._counts) < MAX_COUNTS:
            self._counts[key] = count


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete the counts of earlier weeks."""
    async with sessions.begin() as session:
        await session.execute(_FORGET, {"before": clock.now() - KEPT_FOR})


def _columns(counts: Mapping[_Key, _Count]) -> dict[str, list[object]]:
    return {
        "appids": [appid for appid, _, _ in counts],
        "reasons": [reason for _, reason, _ in counts],
        "hours": [hour for _, _, hour in counts],
        "counts": [count.number for count in counts.values()],
        "seen": [count.seen_at for count in counts.values()],
    }
