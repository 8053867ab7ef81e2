"""Counts the calls of WeChat's API by account, API and day in Shanghai, as WeChat's quotas do.

A process counts in memory, and adds what is new to `api_calls` every few seconds. A process that is
killed loses the calls of that time.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app import metrics
from app.clock import SHANGHAI, Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.wechat_client import problem_store
from app.wechat_client.models import ApiCalls

STORE_SECONDS: Final = 5.0
KEPT_DAYS: Final = 31

log = structlog.get_logger()

_Key: TypeAlias = tuple[str, date, str]


def day_of(moment: datetime) -> date:
    """Return the day in Shanghai, by which WeChat counts (protocol 11)."""
    return moment.astimezone(SHANGHAI).date()


class CallCounts:
    """The calls of this process that are not in `api_calls` yet."""

    def __init__(self, sessions: SessionFactory, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._new: Counter[_Key] = Counter()
        self._at_work = asyncio.Lock()

    def add(self, appid: str, api: str) -> None:
        """Count one call that is about to be made. api: without `/cgi-bin/`."""
        self._new[appid, day_of(self._clock.now()), api] += 1
        metrics.API_CALLS.labels(appid, api).inc()

    async def keep_stored(self) -> None:
        """Write what is new every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            async with self._at_work:
                await self.store()

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""
        async with self._at_work:
            return

    async def store(self) -> None:
        """Write what is new; all of it later if the database is unavailable."""
        if not self._new:
            return
        counted, self._new = self._new, Counter()
        try:
            async with brief_transaction(self._sessions) as session:
                await _add(session, counted)
        except BaseException as error:
            self._new += counted
            if not isinstance(error, (*UNAVAILABLE_ERRORS, SQLAlchemyError)):
                raise
            log.warning("wechat.calls_not_counted", error=type(error).__name__)


async def _add(session: AsyncSession, counted: Mapping[_Key, int]) -> None:
    new = insert(ApiCalls).values(
        # All processes lock the rows in one order.
        [
            {"appid": appid, "day": day, "api": api, "calls": calls}
            for (appid, day, api), calls in sorted(counted.items())
        ]
    )
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ApiCalls.appid, ApiCalls.day, ApiCalls.api],
            set_={"calls": ApiCalls.calls + new.excluded.calls},
        )
    )


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete the counts of days that are long over, and the pauses of before any chart."""
    before = day_of(clock.now()) - timedelta(days=KEPT_DAYS)
    async with sessions.begin() as session:
        await session.execute(delete(ApiCalls).where(ApiCalls.day < before))
        await problem_store.prune_ended(session, clock.now())
