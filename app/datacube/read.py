"""The schedule `datacube.read`: asks WeChat for the figures of the days that are over.

A day is asked about when WeChat has usually counted it, and again while it is not ready. A run that
is killed leaves its lease behind, and another one asks when that has ended. Source: linkage 10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from app.clock import Clock
from app.datacube import count, figure_store, visit_count
from app.datacube.figure_store import Claim
from app.datacube.retry_policy import (
    PAUSE_OF_CONFIGURATION,
    after_failure,
    after_success,
    concerns_days,
)
from app.db.engine import SessionFactory
from app.settings import Account, Settings
from app.wechat.api import WeChatApi
from app.wechat.datacube import FigureCall, FigureRow
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.problems import Api
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

# What is left is read by the next run.
MAX_CALLS_A_RUN: Final = 200
PAUSE_WITHOUT_TOKEN: Final = timedelta(minutes=10)
APIS: Final[Mapping[FigureCall, Api]] = {
    FigureCall.USER_SUMMARY: "datacube/getusersummary",
    FigureCall.USER_CUMULATE: "datacube/getusercumulate",
    FigureCall.UPSTREAM_MESSAGES: "datacube/getupstreammsg",
    FigureCall.INTERFACE_SUMMARY: "datacube/getinterfacesummary",
    FigureCall.VISIT_TREND: "datacube/getweanalysisappiddailyvisittrend",
    FigureCall.VISIT_DISTRIBUTION: "datacube/getweanalysisappidvisitdistribution",
}
CALLS: Final[Mapping[str, Sequence[FigureCall]]] = {
    "oa": (
        FigureCall.USER_SUMMARY,
        FigureCall.USER_CUMULATE,
        FigureCall.UPSTREAM_MESSAGES,
        FigureCall.INTERFACE_SUMMARY,
    ),
    "mini_program": (FigureCall.VISIT_TREND, FigureCall.VISIT_DISTRIBUTION),
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FigureReader:
    """What the schedule needs."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock
    settings: Settings


def asked_accounts(settings: Settings) -> list[Account]:
    """Return the accounts whose figures WeChat can be asked for."""
    return [one for one in settings.accounts.values() if one.appsecret is not None]


async def read_due(reader: FigureReader) -> None:
    """Ask for all days that are due, and count the pushes and launches of days that are over."""
    await count.count_due(reader.sessions, reader.clock, reader.settings)
    await visit_count.count_due(reader.sessions, reader.clock, reader.settings)
    accounts = asked_accounts(reader.settings)
    async with reader.sessions.begin() as session:
        calls = {one.appid: CALLS[one.kind] for one in accounts}
        await figure_store.plan(session, calls, reader.clock.now())
    reachable = {one.appid for one in accounts}
    for _ in range(MAX_CALLS_A_RUN):
        async with reader.sessions.begin() as session:
            claim = await figure_store.claim(session, sorted(reachable), reader.clock.now())
        if claim is None:
            break
        if not await _ask(reader, claim):
            reachable.discard(claim.appid)
    async with reader.sessions.begin() as session:
        await figure_store.prune(session, reader.clock.now())


async def _ask(reader: FigureReader, claim: Claim) -> bool:
    """Make one call; return whether another one of the account is worth while now."""
    try:
        rows = await with_token(
            reader.tokens,
            claim.appid,
            lambda token: reader.api.figures(token, claim.call, claim.days[0], claim.days[-1]),
            api=APIS[claim.call],
        )
    except ApiError as error:
        await _note_failure(reader, claim, error)
        return error.errcode is not None and not isinstance(error, NoToken)
    await _store(reader, claim, rows)
    return True


async def _store(reader: FigureReader, claim: Claim, rows: Sequence[FigureRow]) -> None:
    now = reader.clock.now()
    async with reader.sessions.begin() as session:
        for day in await figure_store.released(session, claim):
            day.rows = [dict(row.values) for row in rows if row.day == day.day]
            day.read_at = now
            day.try_at = after_success(day.day, now, empty=not day.rows)
            day.attempts, day.alone = 0, False
            day.errcode = day.error = day.rid = day.failed_at = None


async def _note_failure(reader: FigureReader, claim: Claim, error: ApiError) -> None:
    now = reader.clock.now()
    several = len(claim.days) > 1
    async with reader.sessions.begin() as session:
        for day in await figure_store.released(session, claim):
            day.attempts += 1
            day.errcode, day.error, day.rid = error.errcode, error.errmsg, error.rid
            day.failed_at = now
            if several and concerns_days(error):
                # Some of them may be answered: each is asked about alone.
                day.alone, day.try_at = True, now
            else:
                day.try_at = after_failure(error, day.attempts, day.day, now)
        if isinstance(error, (NoToken, Paused)):
            until = error.until or now + PAUSE_WITHOUT_TOKEN
            if error.action is Action.CONFIGURATION:
                # An account without this right is not asked every ten minutes whether it has it.
                until = max(until, now + PAUSE_OF_CONFIGURATION)
            call = None if isinstance(error, NoToken) else claim.call
            await figure_store.postpone(session, claim.appid, call, until)
    log.warning(
        "datacube.not_read",
        appid=claim.appid,
        api=APIS[claim.call],
        day=claim.days[-1].isoformat(),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
    )
