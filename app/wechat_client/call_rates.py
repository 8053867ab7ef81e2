"""Spreads calls of WeChat's API over time, so that an account stays within the rate of each API.

All processes share one row for each account and API, which says when the next call may be made. The
calls of a process that wait at the same time take their turns in one statement.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Final, TypeAlias, get_args

import structlog
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from app import metrics
from app.clock import Clock
from app.db.batches import Batches
from app.db.brief import brief_transaction
from app.db.brief_connection import BriefConnection
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.settings import Settings
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client import quota_store
from app.wechat_client.call_rate import CallRate, lower, rate_of
from app.wechat_client.errors import Paused
from app.wechat_client.learned_rates import LearnedRates
from app.wechat_client.problems import Api

# So long a call waits for its turn. One whose turn is later is put off.
AHEAD: Final = timedelta(seconds=0.5)
# WeChat's word on the rates is read again after this.
READ_SECONDS: Final = 60.0
LOG_AGAIN: Final = timedelta(hours=1)
MAX_BATCH: Final = 100
# Calls whose turn comes within this time are worth preparing.
PREPARED: Final = timedelta(seconds=2)

_Key: TypeAlias = tuple[AppId, str]

# next_at: when the next call may be made. One further ahead than any turn that is ever given comes
# from a clock that was wrong.
_TAKE: Final = """
INSERT INTO api_rates AS rates (appid, api, next_at, granted)
SELECT $1, $2, first + granted * $5::interval, granted
FROM (SELECT $3::timestamptz - $4::interval AS first) AS turn CROSS JOIN LATERAL (
    SELECT LEAST($6::bigint, floor(
        extract(epoch FROM $3 + $7::interval - first) / extract(epoch FROM $5::interval)
    )::bigint + 1) AS granted
) AS given
ON CONFLICT (appid, api) DO UPDATE SET (next_at, granted) = (
    SELECT first + granted * $5::interval, granted
    FROM (
        SELECT CASE WHEN rates.next_at > $3 + $7 + $8::interval THEN $3
                    ELSE GREATEST(rates.next_at, $3 - $4) END AS first
    ) AS turn CROSS JOIN LATERAL (
        SELECT LEAST($6, floor(
            extract(epoch FROM $3 + $7 - first) / extract(epoch FROM $5::interval)
        )::bigint + 1) AS granted
    ) AS given
) WHERE rates.next_at <= $3 + $7 OR rates.next_at > $3 + $7 + $8
RETURNING next_at, granted
"""

_NEXT: Final = "SELECT next_at FROM api_rates WHERE appid = $1 AND api = $2"

log = structlog.get_logger()


class CallRates:
    """The turns of this process' calls. set_by_operator: the setting API_RATES, by API."""

    def __init__(
        self,
        connection: BriefConnection,
        sessions: SessionFactory,
        clock: Clock,
        set_by_operator: Mapping[str, CallRate],
    ) -> None:
        self._connection = connection
        self._sessions = sessions
        self._clock = clock
        self._set_by_operator = set_by_operator
        self.learned = LearnedRates(sessions, clock)
        self._said_by_wechat: Mapping[tuple[str, str], CallRate] | None = None
        self._first_read = asyncio.Lock()
        self._turns: dict[_Key, Batches[None, datetime | None]] = {}
        self._refused_until: dict[_Key, datetime] = {}
        self._logged_at: dict[_Key, datetime] = {}

    async def admit(self, appid: AppId, api: str) -> None:
        """Return when a call may be made. Raises Paused, and the errors of the database."""
        async with self._first_read:
            if self._said_by_wechat is None:
                await self.learned.learn()
                await self._read()
        rate = self._rate(appid, api)
        if rate is None:
            return
        key = appid, api
        if self.refusal(appid, api) is None:
            if key not in self._turns:
                self._turns[key] = Batches(partial(self._take, appid, api), most=MAX_BATCH)
            turn = await self._turns[key].do(None)
            if turn is not None:
                await self._wait(turn)
                return
        raise self.refusal(appid, api) or _put_off(api, rate, self._clock.now())

    def at_hand(self, appid: AppId, api: str) -> int | None:
        """Return how many calls are worth preparing, since their turns come soon; None: any.

        All others would only be put off, one after the other.
        """
        rate = self._rate(appid, api)
        return None if rate is None else 1 + ceil(PREPARED / rate.interval)

    def refusal(self, appid: AppId, api: str) -> Paused | None:
        """Return why a call that is not made yet would be put off, as far as this process knows."""
        until = self._refused_until.get((appid, api))
        rate = self._rate(appid, api)
        if until is None or rate is None or until <= self._clock.now():
            return None
        return _put_off(api, rate, until)

    async def keep_read(self) -> None:
        """Read WeChat's word on the rates, and what it refuses, until cancelled."""
        await asyncio.gather(self._keep_read(), self.learned.keep_learning())

    async def _keep_read(self) -> None:
        while True:
            await asyncio.sleep(READ_SECONDS)
            await self._read()

    def _rate(self, appid: AppId, api: str) -> CallRate | None:
        known = rate_of(
            api,
            set_by_operator=self._set_by_operator.get(api),
            said_by_wechat=(self._said_by_wechat or {}).get((appid, api)),
        )
        return lower(known, self.learned.rate(appid, api))

    async def _read(self) -> None:
        try:
            async with brief_transaction(self._sessions) as session:
                self._said_by_wechat = await quota_store.read_rates(session)
        except ProgrammingError:
            # The database is not migrated. Whoever needs it says so, once.
            raise
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("wechat.rates_not_read", error=type(error).__name__)
            self._said_by_wechat = self._said_by_wechat or {}

    async def _take(
        self, appid: AppId, api: str, waiting: Sequence[None]
    ) -> Sequence[datetime | None]:
        """Return the turns of calls; None for those that are put off."""
        rate = self._rate(appid, api)
        now = self._clock.now()
        if rate is None:
            return [now for _ in waiting]
        burst = (rate.at_once - 1) * rate.interval
        async with self._connection.use() as connection:
            taken = await connection.fetchrow(
                *(_TAKE, appid, api, now, burst, rate.interval, len(waiting), AHEAD, rate.period)
            )
            if taken is None:
                next_at = await connection.fetchval(_NEXT, appid, api)
                granted = 0
            else:
                next_at, granted = taken
        if granted < len(waiting):
            self._refused_until[appid, api] = next_at - AHEAD
            self._report(appid, api, rate, len(waiting) - granted)
        first = next_at - granted * rate.interval
        turns = [first + number * rate.interval for number in range(granted)]
        return [*turns, *[None] * (len(waiting) - granted)]

    async def _wait(self, turn: datetime) -> None:
        seconds = (turn - self._clock.now()).total_seconds()
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _report(self, appid: AppId, api: str, rate: CallRate, put_off: int) -> None:
        metrics.API_CALLS_PUT_OFF.labels(appid, api).inc(put_off)
        now = self._clock.now()
        logged_at = self._logged_at.get((appid, api))
        if logged_at is None or now - logged_at >= LOG_AGAIN:
            self._logged_at[appid, api] = now
            log.warning(
                "wechat.rate_reached", appid=appid, api=api, calls=rate.calls, seconds=rate.seconds
            )


def rates_of(settings: Settings) -> dict[str, CallRate]:
    """Return the rates of API_RATES by API. One of an API that is never called is logged."""
    rates = {}
    for part in settings.api_rates:
        api, _, rate = part.partition("=")
        calls, _, seconds = rate.partition("/")
        rates[api] = CallRate(int(calls), int(seconds))
        if api not in get_args(Api):
            names = ", ".join(sorted(get_args(Api)))
            log.warning(
                "settings.rate_of_unknown_api", api=api, fix=f"API_RATES takes one of: {names}"
            )
    return rates


def _put_off(api: str, rate: CallRate, until: datetime) -> Paused:
    what = f"{api} is called {rate.calls} times in {rate.seconds} s at most: this call is put off"
    return Paused(ApiError(None, what, Action.RETRY), until)
