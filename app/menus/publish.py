"""The job `menus.publish`: brings one version to WeChat, however often it is killed.

After each call the progress is stored; a run that is killed leaves its lease behind, and the sweep
starts another one when that has ended. The call after which it was killed is made once more.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.menus import found_store, taps
from app.menus.jobs import missing_job, publish_job
from app.menus.models import AccountMenu, MenuVersion, VersionState
from app.menus.retry_policy import is_refused, next_attempt
from app.menus.steps import Progress, next_step
from app.menus.wechat_menus import WeChatMenus
from app.wechat.errors import ApiError

# Longer than a step with a renewed access token, each call at the longest time limit.
LEASE: Final = timedelta(minutes=8)
MAX_FOUND: Final = 100
# Another attempt within this is worth a job of its own; a later one is the sweep's.
SWEEP_EVERY: Final = timedelta(minutes=1)
UNFINISHED: Final = frozenset({VersionState.PUBLISHING, VersionState.WITHDRAWING})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Publisher:
    """What the job needs."""

    sessions: SessionFactory
    wechat: WeChatMenus
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Run:
    lease: UUID
    progress: Progress


async def publish(publisher: Publisher, version_id: UUID) -> None:
    """Make the steps of a version that is due until it is over, or a call has to be repeated."""
    run = await _claim(publisher, version_id)
    while run is not None:
        try:
            progress = await next_step(publisher.wechat, run.progress)
        except ApiError as error:
            run = await _note_failure(publisher, run, error)
        else:
            run = await _store(publisher, run, progress)


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the job of every version that is due and on which no run works."""
    now = clock.now()
    async with sessions.begin() as session:
        due = await session.scalars(
            select(MenuVersion.id)
            .where(
                MenuVersion.try_at <= now,
                or_(MenuVersion.leased_until.is_(None), MenuVersion.leased_until <= now),
            )
            .order_by(MenuVersion.try_at)
            .limit(MAX_FOUND)
        )
        await enqueue(session, [missing_job(version_id) for version_id in due])


async def _claim(publisher: Publisher, version_id: UUID) -> _Run | None:
    now, lease = publisher.clock.now(), uuid4()
    async with publisher.sessions.begin() as session:
        version = await _locked(session, version_id)
        if version is None or version.try_at is None or version.try_at > now:
            return None
        if version.leased_until is not None and version.leased_until > now:
            return None
        _stop_if_wanted(version, now)
        if version.state not in UNFINISHED:
            return None
        version.lease, version.leased_until = lease, now + LEASE
        return _Run(lease, Progress.of(version))


async def _store(publisher: Publisher, run: _Run, progress: Progress) -> _Run | None:
    """Store a step; return the run, or None if it is over or another run has taken over."""
    now = publisher.clock.now()
    async with publisher.sessions.begin() as session:
        version = await _leased(session, run)
        if version is None:
            return None
        if version.before is None and progress.before is not None:
            version.previous = await found_store.keep(session, version, progress.before, now)
        shown = version.default_created, version.menuids
        _fill(version, progress)
        if version.default_created and (version.default_created, version.menuids) != shown:
            await taps.add_buttons(session, version)
        version.attempts = 0
        if progress.state in {VersionState.PUBLISHING, VersionState.PUBLISHED}:
            version.errcode = version.error = version.rid = version.failed_at = None
        _stop_if_wanted(version, now)
        if version.state in UNFINISHED:
            version.leased_until = now + LEASE
            return replace(run, progress=Progress.of(version))
        if version.state is VersionState.FAILED and version.stop:
            version.state = VersionState.STOPPED
        await _end(session, version, now)
    if progress.state is VersionState.PUBLISHED:
        log.info(
            "menus.published",
            appid=progress.appid,
            version_id=str(progress.version_id),
            verified=progress.verified,
        )
    else:
        log.info(
            "menus.withdrawn",
            appid=progress.appid,
            version_id=str(progress.version_id),
            restored=progress.restored,
        )
    return None


async def _note_failure(publisher: Publisher, run: _Run, error: ApiError) -> _Run | None:
    """Store a failed call; return the run if it goes on with the withdrawal."""
    now = publisher.clock.now()
    log.warning(
        "menus.not_published",
        appid=run.progress.appid,
        version_id=str(run.progress.version_id),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
    )
    async with publisher.sessions.begin() as session:
        version = await _leased(session, run)
        if version is None:
            return None
        withdrawing = version.state is VersionState.WITHDRAWING
        if not (withdrawing and version.error is not None):
            # During a withdrawal the reason for it is worth more than a later failure.
            version.errcode, version.error = error.errcode, error.errmsg
            version.rid, version.failed_at = error.rid, now
        version.attempts += 1
        if is_refused(error):
            return await _refused(session, version, run, now)
        _stop_if_wanted(version, now)
        if version.state not in UNFINISHED:
            await _end(session, version, now)
            return None
        version.lease = version.leased_until = None
        at = next_attempt(error, version.attempts, now)
        version.try_at = at
        if at - now < SWEEP_EVERY:
            await enqueue(session, [publish_job(version.id, delay=max(at - now, timedelta()))])
        return None


async def _refused(
    session: AsyncSession, version: MenuVersion, run: _Run, now: datetime
) -> _Run | None:
    if version.state is VersionState.PUBLISHING and run.progress.has_changed_wechat:
        version.state = VersionState.WITHDRAWING
        version.attempts = 0
        version.leased_until = now + LEASE
        return replace(run, progress=Progress.of(version))
    version.restored = version.state is VersionState.PUBLISHING
    version.state = VersionState.FAILED
    await _end(session, version, now)
    return None


async def _end(session: AsyncSession, version: MenuVersion, now: datetime) -> None:
    version.lease = version.leased_until = version.try_at = None
    version.finished_at = now
    if version.restored:
        await taps.delete_buttons(session, version)
    if version.state is VersionState.PUBLISHED:
        # Once more, for a version that an earlier release has begun.
        await taps.add_buttons(session, version)
        account = await session.get(AccountMenu, version.appid, with_for_update=True)
        if account is not None:
            account.live_number = version.number


def _stop_if_wanted(version: MenuVersion, now: datetime) -> None:
    """Let a version that an operator has stopped be withdrawn, or end before its first change."""
    if not version.stop or version.state is not VersionState.PUBLISHING:
        return
    if version.before is None:
        version.state, version.restored = VersionState.STOPPED, True
        version.lease = version.leased_until = version.try_at = None
        version.finished_at = now
    else:
        # A call whose answer was lost may have changed something, so all is restored.
        version.state = VersionState.WITHDRAWING


async def _locked(session: AsyncSession, version_id: UUID) -> MenuVersion | None:
    return await session.get(MenuVersion, version_id, with_for_update=True, populate_existing=True)


async def _leased(session: AsyncSession, run: _Run) -> MenuVersion | None:
    version = await _locked(session, run.progress.version_id)
    return None if version is None or version.lease != run.lease else version


def _fill(version: MenuVersion, progress: Progress) -> None:
    version.state = progress.state
    version.before = progress.before
    version.default_created = progress.default_created
    version.menuids = list(progress.menuids)
    version.deleted_all = progress.deleted_all
    version.verified = progress.verified
    version.restored = progress.restored
