"""The steps of a pull: the account's tags are read first, and then who has each, page by page.

Who is not named by any page of a tag does not have it any more. Only people who are known here are
stored: so nobody comes back who was erased. Source: protocol 8.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.notices.recipients import lock_known
from app.tags import run_store, store
from app.tags.models import Tag, TagRun
from app.tags.retry_policy import UNKNOWN_TAG
from app.tags.run_store import Claim
from app.tags.wechat_tags import WeChatTags
from app.wechat.api_responses import FollowerPage
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

STORE_BATCH: Final = 1000
STALE_BATCH: Final = 5000
MAX_PAGES: Final = 2000
# Before the first tag.
NO_TAG: Final = -1


async def step(sessions: SessionFactory, wechat: WeChatTags, clock: Clock, claim: Claim) -> None:
    """Make the next call of a pull."""
    try:
        if claim.run.cursor_tag is None:
            await _read_tags(sessions, wechat, clock, claim)
        else:
            await _read_people(sessions, wechat, clock, claim, claim.run.cursor_tag)
    except ApiError as error:
        async with sessions.begin() as session:
            run = await run_store.release(session, claim)
            if run is not None:
                await run_store.note_failure(session, run, error, clock.now())


async def _read_tags(
    sessions: SessionFactory, wechat: WeChatTags, clock: Clock, claim: Claim
) -> None:
    asked_at = clock.now()
    found = await wechat.list(AppId(claim.run.appid))
    async with sessions.begin() as session:
        run = await run_store.release(session, claim)
        if run is None:
            return
        now = clock.now()
        await store.replace_all(session, run.appid, found, asked_at, now)
        run_store.note_success(run)
        run.total = await store.count_tags(session, run.appid)
        await _go_to_next_tag(session, run, NO_TAG, now)


async def _read_people(
    sessions: SessionFactory, wechat: WeChatTags, clock: Clock, claim: Claim, tag_id: int
) -> None:
    """Read who has a tag. After a kill the tag is read from its first page: no OpenID is kept."""
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await _page(wechat, claim.run.appid, tag_id, cursor)
        if not await _keep_page(sessions, clock, claim, tag_id, page.openids):
            return
        if page.next_openid is None or page.next_openid == cursor:
            break
        cursor = page.next_openid
    await _forget_stale(sessions, claim.run.appid, tag_id)
    async with sessions.begin() as session:
        run = await run_store.release(session, claim)
        if run is not None:
            run_store.note_success(run)
            run.done += 1
            await _go_to_next_tag(session, run, tag_id, clock.now())


async def _page(wechat: WeChatTags, appid: str, tag_id: int, cursor: str | None) -> FollowerPage:
    """Return a page; an empty one if the tag has been deleted. Raises ApiError."""
    try:
        return await wechat.members(AppId(appid), tag_id, cursor)
    except ApiError as error:
        if error.errcode != UNKNOWN_TAG:
            raise
        return FollowerPage(0, (), None)


async def _keep_page(
    sessions: SessionFactory, clock: Clock, claim: Claim, tag_id: int, openids: Sequence[str]
) -> bool:
    """Store who is known; return whether this job still has the run."""
    appid = claim.run.appid
    for start in range(0, len(openids), STORE_BATCH):
        async with sessions.begin() as session:
            known = await lock_known(session, appid, openids[start : start + STORE_BATCH])
            await store.add_people(session, appid, tag_id, sorted(known), clock.now())
    async with sessions.begin() as session:
        return await run_store.prolong(session, claim, clock.now())


async def _forget_stale(sessions: SessionFactory, appid: str, tag_id: int) -> None:
    forgotten = STALE_BATCH
    while forgotten == STALE_BATCH:
        async with sessions.begin() as session:
            tag = await session.get(Tag, (appid, tag_id))
            if tag is None:
                return
            forgotten = await store.remove_stale(session, tag, STALE_BATCH)


async def _go_to_next_tag(session: AsyncSession, run: TagRun, after: int, now: datetime) -> None:
    tag = await store.next_tag(session, run.appid, after)
    if tag is None:
        run_store.finish(run, now)
    else:
        run.cursor_tag = tag.tag_id
