"""The rates that this process and the others learn from WeChat's 45011, in `learned_rates`.

A refusal is noted in memory, since nothing may be awaited between a send and the record of its
result. Meanwhile all calls of its account and API wait for a minute (`pauses`), in which every
process stores how many it has made, so that one of them can count what WeChat took.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.wechat.ids import AppId
from app.wechat_client import learned_rate_store as store
from app.wechat_client.call_rate import CallRate
from app.wechat_client.learned_rate import LearnedRate
from app.wechat_client.learned_rate_store import Counted

LEARN_SECONDS: Final = 5.0

_Key: TypeAlias = tuple[AppId, str]

log = structlog.get_logger()


class LearnedRates:
    """What this process knows of these rates, and the refusals that it has not stored yet."""

    def __init__(self, sessions: SessionFactory, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._known: Mapping[tuple[str, str], LearnedRate] = {}
        # When the call began, and when it was refused.
        self._refused: dict[_Key, tuple[datetime, datetime]] = {}
        self._at_work = asyncio.Lock()

    def rate(self, appid: AppId, api: str) -> CallRate | None:
        """Return the rate that holds now; None: there is none."""
        known = self._known.get((appid, api))
        return None if known is None else known.rate(self._clock.now())

    def refused(self, appid: AppId, api: str, began: datetime) -> None:
        """Note that WeChat refused a call with 45011. began: when it was made."""
        self._refused.setdefault((appid, api), (began, self._clock.now()))

    async def keep_learning(self) -> None:
        """Store what was refused, and read what holds now, until cancelled."""
        while True:
            await asyncio.sleep(LEARN_SECONDS)
            async with self._at_work:
                await self.learn()

    async def rest(self) -> None:
        """Return once `keep_learning` reads and writes nothing."""
        async with self._at_work:
            return

    async def learn(self) -> None:
        """Do so once; without the database what was refused is stored later."""
        refused, self._refused = self._refused, {}
        try:
            counted = await self._learn(refused)
        except BaseException as error:
            self._refused = refused | self._refused
            if not isinstance(error, (*UNAVAILABLE_ERRORS, SQLAlchemyError)):
                raise
            if refused:
                log.warning("wechat.refusals_not_stored", error=type(error).__name__)
            return
        for one in counted:
            _report(one, self._clock.now())

    async def _learn(self, refused: Mapping[_Key, tuple[datetime, datetime]]) -> list[Counted]:
        now = self._clock.now()
        counted: list[Counted] = []
        async with brief_transaction(self._sessions) as session:
            # All processes lock the rows in one order.
            for (appid, api), (began, refused_at) in sorted(refused.items()):
                await store.note_refusal(session, appid, api, began=began, refused_at=refused_at)
            known, uncounted = await store.read_learned(session, now)
        if uncounted:
            async with brief_transaction(self._sessions) as session:
                counted = await store.count_due(session, now)
        self._known = {**known, **{(one.appid, one.api): one.learned for one in counted}}
        return counted


async def forget(sessions: SessionFactory, clock: Clock) -> None:
    """Delete what no process needs any more, and log which rates hold no longer."""
    async with brief_transaction(sessions) as session:
        forgotten = await store.delete_old(session, clock.now())
    for appid, api in forgotten:
        log.info("wechat.rate_forgotten", appid=appid, api=api)


def _report(counted: Counted, now: datetime) -> None:
    rate = counted.learned.rate(now)
    if rate is not None:
        log.warning(
            "wechat.rate_learned",
            appid=counted.appid,
            api=counted.api,
            calls=rate.calls,
            seconds=rate.seconds,
            refusals=counted.learned.refusals,
        )
