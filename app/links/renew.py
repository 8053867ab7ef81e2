"""The job `links.renew`: gets the next URL Link of a link from WeChat, well before the last ends.

Source: protocol 9.4; linkage 5.1, 5.3 and 5.6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.links import opens, quota, store
from app.links.jobs import missing_job, renew_job
from app.links.models import Link
from app.links.renewal_policy import (
    LIFE,
    LIFE_DAYS,
    is_refused,
    next_attempt,
    renewal_after,
    uses_up_the_day,
)
from app.links.schemas import utm_of
from app.links.target_query import shared_query
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat.link_target import LinkTarget
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

# A link that is changed again and again is left to the next job.
MAX_CALLS_A_RUN: Final = 3
MAX_FOUND: Final = 1000
# Another attempt within this is worth a job of its own; a later one is the sweep's.
SWEEP_EVERY: Final = timedelta(minutes=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Renewer:
    """What the job needs."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Claim:
    link_id: UUID
    lease: UUID
    appid: AppId
    revision: int
    target: LinkTarget


async def renew(renewer: Renewer, link_id: UUID) -> None:
    """Ask WeChat for the URL Link of a link if that is due, and once more if it changed meanwhile.

    A run that is killed leaves its lease behind; the sweep starts another one when that has ended.
    The URL Link of the killed run is lost, which costs one call of the quota.
    """
    for _ in range(MAX_CALLS_A_RUN):
        claim = await _claim(renewer, link_id)
        if claim is None or not await _renew_once(renewer, claim):
            return


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the job of every link that is due and not being renewed; forget earlier visitors."""
    now = clock.now()
    async with sessions.begin() as session:
        due = await session.scalars(
            select(Link.id)
            .where(Link.renew_at <= now, or_(Link.leased_until.is_(None), Link.leased_until <= now))
            .order_by(Link.renew_at)
            .limit(MAX_FOUND)
        )
        await enqueue(session, [missing_job(link_id) for link_id in due])
    await opens.prune(sessions, now)


async def _claim(renewer: Renewer, link_id: UUID) -> _Claim | None:
    async with renewer.sessions.begin() as session:
        link = await store.locked(session, link_id)
        lease = None if link is None else link.take_lease(renewer.clock.now())
        if link is None or lease is None:
            return None
        query = shared_query(link.query, link.slug, utm_of(link))
        target = LinkTarget(link.path, query, link.env_version.value)
        return _Claim(link.id, lease, AppId(link.appid), link.revision, target)


async def _renew_once(renewer: Renewer, claim: _Claim) -> bool:
    """Make one call; return whether the link was changed during it, so that it is due again."""
    used_up = await quota.take(renewer.sessions, claim.appid, renewer.clock.now())
    if used_up is not None:
        await _wait(renewer, claim, used_up.until)
        return False
    try:
        url_link = await with_token(
            renewer.tokens,
            claim.appid,
            lambda token: renewer.api.generate_urllink(token, claim.target, LIFE_DAYS),
            api="wxa/generate_urllink",
        )
    except ApiError as error:
        await _note_failure(renewer, claim, error)
        return False
    return await _store(renewer, claim, url_link)


async def _store(renewer: Renewer, claim: _Claim, url_link: str) -> bool:
    now = renewer.clock.now()
    async with renewer.sessions.begin() as session:
        link = await _released(session, claim)
        if link is None:
            return False
        link.url_link = url_link
        link.url_link_revision = claim.revision
        link.url_link_expires_at = now + LIFE
        link.note_success()
        if link.revision != claim.revision:
            return True
        link.renew_at = renewal_after(now)
        return False


async def _note_failure(renewer: Renewer, claim: _Claim, error: ApiError) -> None:
    now = renewer.clock.now()
    async with renewer.sessions.begin() as session:
        if uses_up_the_day(error):
            await quota.pause(session, claim.appid, next_attempt(error, 1, now))
        link = await _released(session, claim)
        if link is None:
            return
        link.note_failure(error, now)
        if link.revision == claim.revision:
            await _plan(session, link, next_attempt(error, link.attempts, now), now)
            if is_refused(error) and link.url_link_revision != claim.revision:
                # WeChat refuses what the link opens now; the earlier page is not what is meant.
                link.url_link = link.url_link_expires_at = None
        else:
            await enqueue(session, [renew_job(link.id)])
    log.warning(
        "links.not_renewed",
        appid=claim.appid,
        link_id=str(claim.link_id),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
    )


async def _wait(renewer: Renewer, claim: _Claim, until: datetime) -> None:
    async with renewer.sessions.begin() as session:
        link = await _released(session, claim)
        if link is not None:
            await _plan(session, link, until, renewer.clock.now())


async def _plan(session: AsyncSession, link: Link, at: datetime, now: datetime) -> None:
    link.renew_at = at
    if at - now < SWEEP_EVERY:
        await enqueue(session, [renew_job(link.id, delay=at - now)])


async def _released(session: AsyncSession, claim: _Claim) -> Link | None:
    """Return the locked link without the lease; None if it is deleted or another run has it."""
    link = await store.locked(session, claim.link_id)
    return link if link is not None and link.release(claim.lease) else None
