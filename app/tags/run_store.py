"""SQL of runs: they are started, stopped, claimed, and what came of their calls is recorded.

The runs of an account are carried out in the order in which they were started: to tag somebody and
to untag them then must not come to WeChat the other way round.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import orjson
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.notices.recipients import lock_known, openids_of
from app.tags import store
from app.tags.call_in_parts import Called
from app.tags.errors import KeyTaken, RunIsOver, TooManyRuns
from app.tags.jobs import missing_job, run_job
from app.tags.models import TagAction, TagRun, TagRunPerson, TagRunState
from app.tags.retry_policy import ends_run, next_attempt
from app.tags.schemas import TagPeopleIn
from app.wechat.errors import ApiError

MAX_OPEN_RUNS: Final = 100
# Longer than the calls of one step take: see `run.STEP_TIME`.
LEASE: Final = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this job works on. lease: lets it record what it has done."""

    run: TagRun
    lease: UUID


@dataclass(frozen=True, slots=True)
class Started:
    """A run, and the ids that name nobody who is known."""

    run: TagRun
    unknown: Sequence[str] = ()


async def start(
    session: AsyncSession, actor: Actor, appid: str, tag_id: int, wanted: TagPeopleIn, now: datetime
) -> Started:
    """Start a run for a tag. Raises UnknownTag, KeyTaken, TooManyRuns; the caller rolls back then.

    Of two requests with one key, the second gets the run of the first.
    """
    await store.require(session, appid, tag_id)
    openids, unknown = await _named(session, appid, wanted)
    total = None if wanted.filter is not None else len(openids)
    run, is_new = await _add(
        session,
        actor,
        appid,
        wanted.action,
        now,
        tag_id=tag_id,
        total=total,
        wanted=wanted,
    )
    if is_new and openids:
        await session.execute(
            insert(TagRunPerson).on_conflict_do_nothing(),
            [{"run_id": run.id, "openid": openid, "appid": appid} for openid in openids],
        )
    return Started(run, unknown)


async def start_pull(session: AsyncSession, actor: Actor, appid: str, now: datetime) -> TagRun:
    """Start to read the tags and who has each, or return the pull that waits already."""
    waiting = await session.scalar(
        select(TagRun).where(
            TagRun.appid == appid,
            TagRun.action == TagAction.PULL,
            TagRun.try_at.is_not(None),
            TagRun.cursor_tag.is_(None),
        )
    )
    if waiting is not None:
        return waiting
    run, _ = await _add(session, actor, appid, TagAction.PULL, now)
    return run


async def _named(
    session: AsyncSession, appid: str, wanted: TagPeopleIn
) -> tuple[list[str], list[str]]:
    """Return the OpenIDs of a request, locked, and which of its ids name nobody."""
    if wanted.filter is not None:
        return [], []
    if wanted.openids is not None:
        known = await lock_known(session, appid, wanted.openids)
        return sorted(known), [one for one in wanted.openids if one not in known]
    unionids = wanted.unionids or []
    found = await openids_of(session, appid, unionids)
    known = await lock_known(session, appid, list(found.values()))
    return sorted(known), [one for one in unionids if found.get(one) not in known]


async def _add(
    session: AsyncSession,
    actor: Actor,
    appid: str,
    action: TagAction,
    now: datetime,
    *,
    tag_id: int | None = None,
    total: int | None = None,
    wanted: TagPeopleIn | None = None,
) -> tuple[TagRun, bool]:
    """Add a run; return it and whether it is new. Raises KeyTaken, TooManyRuns."""
    if await _open(session, appid) >= MAX_OPEN_RUNS:
        raise TooManyRuns(MAX_OPEN_RUNS)
    filtered = None if wanted is None else wanted.filter
    key = wanted.key if wanted is not None and wanted.key is not None else str(uuid4())
    digest = _digest(tag_id, wanted)
    run_id = uuid7()
    # Of two processes with one key, the second waits here until the first has committed.
    added = await session.scalar(
        insert(TagRun)
        .values(
            id=run_id,
            appid=appid,
            action=action,
            tag_id=tag_id,
            filter=None
            if filtered is None
            else filtered.model_dump(mode="json", exclude_none=True),
            key=key,
            digest=digest,
            state=TagRunState.RUNNING,
            total=total,
            created_at=now,
            created_by=actor.name,
            try_at=now,
        )
        .on_conflict_do_nothing()
        .returning(TagRun.id)
    )
    if added is None:
        return await _same_run(session, appid, key, digest), False
    what = f"{action} {appid}" if tag_id is None else f"{action} {appid}/{tag_id}"
    await audit.record(
        session, actor, Action.TAG_RUN_STARTED, subject_of(run_id), now=now, after=what, count=total
    )
    await enqueue(session, [run_job(appid)])
    return await session.get_one(TagRun, run_id), True


async def _same_run(session: AsyncSession, appid: str, key: str, digest: str) -> TagRun:
    found = (
        await session.scalars(select(TagRun).where(TagRun.appid == appid, TagRun.key == key))
    ).one()
    if found.digest != digest:
        raise KeyTaken(key)
    return found


def _digest(tag_id: int | None, wanted: TagPeopleIn | None) -> str:
    asked = None if wanted is None else wanted.model_dump(mode="json")
    written = orjson.dumps([tag_id, asked], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()


async def _open(session: AsyncSession, appid: str) -> int:
    found = await session.scalar(
        select(func.count())
        .select_from(TagRun)
        .where(TagRun.appid == appid, TagRun.try_at.is_not(None))
    )
    return found or 0


async def locked(session: AsyncSession, run_id: UUID) -> TagRun | None:
    """Return a run with its row locked."""
    return await session.get(TagRun, run_id, with_for_update=True, populate_existing=True)


async def stop(session: AsyncSession, actor: Actor, run: TagRun, now: datetime) -> None:
    """End a locked run: the people who wait are not called for. Raises RunIsOver."""
    if run.state is not TagRunState.RUNNING:
        raise RunIsOver
    before = run.state
    _end(run, TagRunState.STOPPED, now)
    await forget_waiting(session, run.id)
    await audit.record(
        session,
        actor,
        Action.TAG_RUN_STOPPED,
        subject_of(run.id),
        now=now,
        before=before,
        after=run.state,
    )
    await enqueue(session, [run_job(run.appid)])


async def page(
    session: AsyncSession,
    *,
    appid: str | None,
    before: UUID | None,
    limit: int,
    tag_id: int | None = None,
) -> Sequence[TagRun]:
    """Return runs, the newest first."""
    query = select(TagRun).order_by(TagRun.id.desc()).limit(limit)
    if appid is not None:
        query = query.where(TagRun.appid == appid)
    if tag_id is not None:
        query = query.where(TagRun.tag_id == tag_id)
    if before is not None:
        query = query.where(TagRun.id < before)
    return (await session.scalars(query)).all()


async def next_before(session: AsyncSession, run: TagRun) -> TagRun | None:
    """Return the run of the account whose end an open run waits for; None if it is its turn."""
    query = select(TagRun).where(TagRun.appid == run.appid, TagRun.try_at.is_not(None))
    first = await session.scalar(query.order_by(TagRun.id).limit(1))
    return first if run.try_at is not None and first is not None and first.id != run.id else None


async def refused(
    session: AsyncSession, run_id: UUID, after: str, limit: int
) -> Sequence[TagRunPerson]:
    """Return people whom WeChat refused, in the order of OpenIDs."""
    found = await session.scalars(
        select(TagRunPerson)
        .where(
            TagRunPerson.run_id == run_id,
            TagRunPerson.openid > after,
            TagRunPerson.errcode.is_not(None),
        )
        .order_by(TagRunPerson.openid)
        .limit(limit)
    )
    return found.all()


async def claim(session: AsyncSession, appid: str, now: datetime) -> Claim | None:
    """Return the run of an account that is next, with a lease; None if none is due now."""
    # Two jobs that choose at once would each see no lease of the other.
    await session.execute(_ALONE, {"name": f"oa_bridge.tags.{appid}"})
    found = await session.scalars(
        select(TagRun)
        .where(TagRun.appid == appid, TagRun.try_at.is_not(None))
        .order_by(TagRun.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    runs = found.all()
    if not runs or any(one.leased_until is not None and one.leased_until > now for one in runs):
        return None
    run = runs[0]
    if run.try_at is None or run.try_at > now:
        return None
    run.lease, run.leased_until = uuid4(), now + LEASE
    await session.flush()
    return Claim(run, run.lease)


async def waiting(session: AsyncSession, run_id: UUID, limit: int) -> Sequence[str]:
    """Return people who wait, in ascending order."""
    found = await session.scalars(
        select(TagRunPerson.openid)
        .where(TagRunPerson.run_id == run_id, TagRunPerson.errcode.is_(None))
        .order_by(TagRunPerson.openid)
        .limit(limit)
    )
    return found.all()


async def record(
    session: AsyncSession, claim: Claim, called: Called, now: datetime
) -> TagRun | None:
    """Record what came of a step, and end the lease; return the locked run if it goes on.

    Who was tagged is noted also if the run was stopped meanwhile: it is so at WeChat.
    """
    reached = [*called.done, *called.refused]
    # People first and then the run, as an erasure locks them.
    known = await lock_known(session, claim.run.appid, reached)
    run = await locked(session, claim.run.id)
    if run is None or (run.lease != claim.lease and run.state is not TagRunState.STOPPED):
        return None
    await _note_people(session, run, called, known, now)
    if run.lease != claim.lease:
        return None
    run.lease = run.leased_until = None
    if reached:
        note_success(run)
    if called.error is not None:
        await note_failure(session, run, called.error, now)
        return None
    return run


async def _note_people(
    session: AsyncSession, run: TagRun, called: Called, known: set[str], now: datetime
) -> None:
    tagged = [openid for openid in called.done if openid in known]
    if run.tag_id is not None and tagged:
        if run.action is TagAction.TAG:
            await store.add_people(session, run.appid, run.tag_id, tagged, now)
        else:
            await store.remove_people(session, run.appid, run.tag_id, tagged)
    reached = [*called.done, *called.refused]
    await session.execute(
        delete(TagRunPerson).where(TagRunPerson.run_id == run.id, TagRunPerson.openid.in_(reached))
    )
    refused = [
        {"run_id": run.id, "openid": openid, "appid": run.appid, "errcode": errcode}
        for openid, errcode in called.refused.items()
        if openid in known
    ]
    if refused:
        await session.execute(insert(TagRunPerson), refused)
    run.done += len(called.done)
    run.refused += len(called.refused)


async def release(session: AsyncSession, claim: Claim) -> TagRun | None:
    """Return the locked run without its lease, if this job still had it."""
    run = await locked(session, claim.run.id)
    if run is None or run.lease != claim.lease:
        return None
    run.lease = run.leased_until = None
    return run


async def prolong(session: AsyncSession, claim: Claim, now: datetime) -> bool:
    """Lengthen the lease; return whether this job still had it."""
    run = await locked(session, claim.run.id)
    if run is None or run.lease != claim.lease:
        return False
    run.leased_until = now + LEASE
    return True


async def next_at(session: AsyncSession, appid: str) -> datetime | None:
    """Return when a job of an account has something to do; None if no run is open."""
    found = await session.execute(
        select(TagRun.try_at, TagRun.leased_until)
        .where(TagRun.appid == appid, TagRun.try_at.is_not(None))
        .order_by(TagRun.id)
    )
    runs = found.all()
    if not runs:
        return None
    leases = (one.leased_until for one in runs if one.leased_until is not None)
    at: datetime = max(runs[0].try_at, *leases, runs[0].try_at)
    return at


def finish(run: TagRun, now: datetime) -> None:
    """End a locked run that has done what it had to do."""
    _end(run, TagRunState.DONE, now)


async def note_failure(session: AsyncSession, run: TagRun, error: ApiError, now: datetime) -> None:
    """Keep what WeChat said, and plan the next call or end the run."""
    run.attempts += 1
    run.errcode, run.error = error.errcode, error.errmsg
    run.rid, run.failed_at = error.rid, now
    if ends_run(error):
        _end(run, TagRunState.FAILED, now)
        await forget_waiting(session, run.id)
    else:
        run.try_at = next_attempt(error, run.attempts, now)


async def forget_waiting(session: AsyncSession, run_id: UUID) -> None:
    """Delete the people of a run who wait."""
    await session.execute(
        delete(TagRunPerson).where(TagRunPerson.run_id == run_id, TagRunPerson.errcode.is_(None))
    )


async def enqueue_due(session: AsyncSession, now: datetime) -> None:
    """Enqueue the job of each account with a run that is due."""
    due = await session.scalars(select(TagRun.appid).where(TagRun.try_at <= now).distinct())
    await enqueue(session, [missing_job(appid) for appid in due])


def subject_of(run_id: UUID) -> Subject:
    """Return a run as the subject of an audit entry."""
    return Subject(SubjectKind.TAG_RUN, str(run_id))


def note_success(run: TagRun) -> None:
    """Forget earlier failures."""
    run.attempts = 0
    run.errcode = run.error = run.rid = run.failed_at = None


def _end(run: TagRun, state: TagRunState, now: datetime) -> None:
    run.state, run.ended_at = state, now
    run.try_at = run.lease = run.leased_until = run.cursor = None


_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
