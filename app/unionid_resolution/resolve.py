"""The job `identity.resolve`, which asks WeChat for UnionIDs. Source: protocol 8."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.identity import store
from app.identity.models import UnionIdSource
from app.identity.remarks import Remark
from app.identity.unionid_store import ASK_UNBOUND_AGAIN, UnionIdResult
from app.settings import Account
from app.tombstones.erasure_secret import ErasureSecret
from app.unionid_resolution.erased_unionids import withhold_erased
from app.unionid_resolution.jobs import next_resolve_job, resolve_job
from app.unionid_resolution.record import record_unionids
from app.wechat.api import WeChatApi
from app.wechat.api_responses import UserInfo
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId, OpenId
from app.wechat_client.batchget import BAD_OPENID, BATCHGET_LIMIT, batchget_halving
from app.wechat_client.errors import NoToken
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

ASK_MISSING_AGAIN = timedelta(hours=1)
# A run ends after so many calls, so that the jobs of other accounts can run.
MAX_CALLS_A_RUN = 10
# One after the other they end before the lease, also when every call takes WeChat its whole time.
MAX_SINGLE_CALLS = 10
PAUSE_AFTER_FAILURE = timedelta(seconds=30)
PAUSE_AFTER_REFUSAL = timedelta(minutes=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Resolver:
    """What the job needs. secret: for the pseudonyms, see `tombstones.pseudonyms.pseudonyms`."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock
    secret: ErasureSecret


async def resolve(resolver: Resolver, appid: AppId, turn: int = 0) -> None:
    """Ask WeChat about every due OpenID of an account, and record the UnionIDs.

    OpenIDs without a UnionID share calls. One that has a UnionID, while another one was named, gets
    a call of its own. After MAX_CALLS_A_RUN shared calls a further job is enqueued for the rest.
    turn: that of this job.

    When a call fails, its OpenIDs are released and become due later; the sweep enqueues a job then.
    When WeChat refuses a call, also because of the daily quota, the whole account pauses, because
    WeChat would refuse the next calls as well. The pause ends early when an access token is got
    after one was refused, and when a worker starts, since its settings may have been corrected.
    """
    for _ in range(MAX_CALLS_A_RUN):
        resolved = await _resolve_some(resolver, appid)
        if not await _settle_some(resolver, appid) and not resolved:
            return
    async with resolver.sessions.begin() as session:
        await enqueue(session, [next_resolve_job(appid, turn)])


async def _resolve_some(resolver: Resolver, appid: AppId) -> bool:
    """Make one call; return False when nothing was due or the call failed."""
    async with resolver.sessions.begin() as session:
        claimed = await store.claim_due(session, appid, resolver.clock.now(), BATCHGET_LIMIT)
    if not claimed:
        return False
    try:
        results = await _ask(resolver, appid, [OpenId(openid) for openid in claimed])
    except ApiError as error:
        await _release(resolver, appid, claimed, error)
        return False
    await _record(resolver, results)
    return True


async def _settle_some(resolver: Resolver, appid: AppId) -> bool:
    """Ask about each of a few conflicts; return False when none was due or a call failed."""
    async with resolver.sessions.begin() as session:
        claimed = await store.claim_conflicts(
            session, appid, resolver.clock.now(), MAX_SINGLE_CALLS
        )
    results: list[UnionIdResult] = []
    try:
        for openid in claimed:
            results.append(await _ask_one(resolver, appid, OpenId(openid)))  # noqa: PERF401 - kept if a later call fails
    except ApiError as error:
        await _release(resolver, appid, claimed[len(results) :], error)
    if results:
        await _record(resolver, results)
    return bool(claimed) and len(results) == len(claimed)


async def _record(resolver: Resolver, results: Sequence[UnionIdResult]) -> None:
    async with resolver.sessions.begin() as session:
        now = resolver.clock.now()
        results = await withhold_erased(session, resolver.secret, results)
        await record_unionids(session, results, source=UnionIdSource.USER_INFO, now=now)


async def end_pauses(sessions: SessionFactory, clock: Clock) -> None:
    """End the pauses of all accounts: a worker starts, perhaps with corrected settings."""
    async with sessions.begin() as session:
        await store.end_pauses(session, clock.now(), everyone=True)


async def sweep(sessions: SessionFactory, accounts: Mapping[str, Account], clock: Clock) -> None:
    """Enqueue a job for every account that has due OpenIDs."""
    async with sessions.begin() as session:
        now = clock.now()
        await store.end_pauses(session, now, everyone=False)
        due = [appid for appid in accounts if await store.has_due(session, appid, now)]
        await enqueue(session, [resolve_job(appid) for appid in due])


async def _ask(resolver: Resolver, appid: AppId, openids: Sequence[OpenId]) -> list[UnionIdResult]:
    """Return one result per OpenID; that WeChat leaves an OpenID out is normal."""

    async def batchget(part: Sequence[OpenId]) -> list[UserInfo]:
        return await with_token(
            resolver.tokens,
            appid,
            lambda token: resolver.api.batchget(token, part),
            api="user/info/batchget",
        )

    infos, bad = await batchget_halving(batchget, openids)
    now = resolver.clock.now()
    by_openid = {info.openid: info for info in infos}
    return [
        UnionIdResult(appid, openid, None, "bad_openid")
        if openid in bad
        else _result(appid, openid, by_openid.get(openid), now)
        for openid in openids
    ]


async def _ask_one(resolver: Resolver, appid: AppId, openid: OpenId) -> UnionIdResult:
    """Return what WeChat answers about one person. Without a UnionID the stored one stays."""
    try:
        info = await with_token(
            resolver.tokens,
            appid,
            lambda token: resolver.api.user_info(token, openid),
            api="user/info",
        )
    except ApiError as error:
        if error.errcode != BAD_OPENID:
            raise
        return UnionIdResult(appid, openid, None, "bad_openid")
    answered = info if info.openid == openid else None
    return replace(_result(appid, openid, answered, resolver.clock.now()), confirmed=True)


def _result(appid: AppId, openid: OpenId, info: UserInfo | None, now: datetime) -> UnionIdResult:
    if info is None:
        return UnionIdResult(appid, openid, None, "not_answered", now + ASK_MISSING_AGAIN)
    if info.unionid is not None:
        return UnionIdResult(
            appid, openid, info.unionid, how=info.subscribe_scene, remark=Remark.of(info)
        )
    if info.subscribed:
        again_at, how = now + ASK_UNBOUND_AGAIN, info.subscribe_scene
        return UnionIdResult(
            appid, openid, None, "not_bound", again_at, how=how, remark=Remark.of(info)
        )
    return UnionIdResult(appid, openid, None, "not_following")


async def _release(
    resolver: Resolver, appid: AppId, openids: Sequence[str], error: ApiError
) -> None:
    refused = error.action in {Action.CONFIGURATION, Action.WAIT, Action.PERMANENT}
    log.warning(
        "identity.not_resolved",
        appid=appid,
        people=len(openids),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
        action=error.action.value,
    )
    now = resolver.clock.now()
    again_at = now + (PAUSE_AFTER_REFUSAL if refused else PAUSE_AFTER_FAILURE)
    async with resolver.sessions.begin() as session:
        await store.release(session, appid, openids, ask_again_at=again_at)
        if refused:
            by_token = isinstance(error, NoToken)
            await store.pause(session, appid, now, again_at, by_token=by_token)
