"""Counts the calls of WeChat's API by account, API and day in Shanghai, as WeChat's quotas do.

A process counts in memory, and adds what is new to `api_calls` every few seconds. A process that is
killed loses the calls of that time. Those of the last minutes are counted by spans of five seconds
in `api_call_spans`, too: they tell what WeChat took before it refused (`learned_rates`).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
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
from app.wechat_client.learned_rate_store import SPAN
from app.wechat_client.models import ApiCalls, ApiCallSpan

STORE_SECONDS: Final = 5.0
KEPT_DAYS: Final = 31

log = structlog.get_logger()

_Key: TypeAlias = tuple[str, date, str]
_SpanKey: TypeAlias = tuple[str, str, datetime]


def day_of(moment: datetime) -> date:
    """Return the day in Shanghai, by which WeChat counts (protocol 11)."""
    return moment.astimezone(SHANGHAI).date()


def span_of(moment: datetime) -> datetime:
    """Return when the span of a moment began."""
    seconds = SPAN.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


class CallCounts:
    """The calls of this process that are not in `api_calls` yet."""

    def __init__(self, sessions: SessionFactory, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._new: Counter[_Key] = Counter()
        self._new_of_spans: Counter[_SpanKey] = Counter()
        self._at_work = asyncio.Lock()

    def add(self, appid: str, api: str) -> None:
        """Count one call that is about to be made. api: without `/cgi-bin/`."""
        now = self._clock.now()
        self._new[appid, day_of(now), api] += 1
        self._new_of_spans[appid, api, span_of(now)] += 1
        metrics.API_CALLS.labels(appid, api).inc()

    def refused(self, appid: str, api: str) -> None:
        """Count a call no more among those that WeChat took: it said 45011."""
        self._new_of_spans[appid, api, span_of(self._clock.now())] -= 1

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
        if not self._new and not self._new_of_spans:
            return
        counted, self._new = self._new, Counter()
        spans, self._new_of_spans = self._new_of_spans, Counter()
        try:
            async with brief_transaction(self._sessions) as session:
                await _add(session, counted)
                await _add_to_spans(session, spans)
        except BaseException as error:
            # `+=` would drop what is less than nothing.
            self._new.update(counted)
            self._new_of_spans.update(spans)
            if not isinstance(error, (*UNAVAILABLE_ERRORS, SQLAlchemyError)):
                raise
            log.warning("wechat.calls_not_counted", error=type(error).__name__)


async def _add(session: AsyncSession, counted: Mapping[_Key, int]) -> None:
    if not counted:
        return
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


async def _add_to_spans(session: AsyncSession, counted: Mapping[_SpanKey, int]) -> None:
    if not counted:
        return
    new = insert(ApiCallSpan).values(
        [
            {"appid": appid, "api": api, "began_at": began_at, "calls": calls}
            for (appid, api, began_at), calls in sorted(counted.items())
        ]
    )
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ApiCallSpan.appid, ApiCallSpan.api, ApiCallSpan.began_at],
            set_={"calls": ApiCallSpan.calls + new.excluded.calls},
        )
    )


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete the counts of days that are long over, and the pauses of before any chart."""
    before = day_of(clock.now()) - timedelta(days=KEPT_DAYS)
    async with sessions.begin() as session:
        await session.execute(delete(ApiCalls).where(ApiCalls.day < before))
        await problem_store.prune_ended(session, clock.now())
