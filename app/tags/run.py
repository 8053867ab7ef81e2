"""The job `tags.run`: works on the runs of an account, one step after the other.

A step is a short transaction that reads whom it is about, the call, and a short transaction that
records what came of it. A worker that dies in between leaves a lease behind; when that has ended,
the step is repeated, which changes nothing at WeChat: tagging somebody twice is tagging them once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.tags import people, pull, run_store
from app.tags.call_in_parts import Called, call_in_parts
from app.tags.jobs import run_job
from app.tags.models import TagAction, TagRun
from app.tags.run_store import Claim
from app.tags.schemas import TagFilter
from app.tags.wechat_tags import WeChatTags
from app.wechat.ids import AppId

# WeChat takes so many people in one call. Source: protocol 8.
CALL_LIMIT: Final = 50
# A job ends after so many steps, so that the jobs of other accounts can run.
MAX_STEPS: Final = 100
# Steps start no call after this; one call may take a minute more, and the lease is longer.
STEP_TIME: Final = timedelta(minutes=2)
# Another attempt within this is worth a job of its own; a later one is the sweep's.
SWEEP_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Tagger:
    """What the job needs."""

    sessions: SessionFactory
    wechat: WeChatTags
    clock: Clock


async def run(tagger: Tagger, appid: str) -> None:
    """Work on the runs of an account that are due."""
    for _ in range(MAX_STEPS):
        async with tagger.sessions.begin() as session:
            claim = await run_store.claim(session, appid, tagger.clock.now())
        if claim is None:
            await _plan(tagger, appid)
            return
        await _step(tagger, claim)
    await _plan(tagger, appid)


async def _step(tagger: Tagger, claim: Claim) -> None:
    """Make the next call of a run, and record what came of it."""
    if claim.run.action is TagAction.PULL:
        await pull.step(tagger.sessions, tagger.wechat, tagger.clock, claim)
    elif claim.run.filter is None:
        await _change_named(tagger, claim)
    else:
        await _change_matching(tagger, claim, TagFilter.model_validate(claim.run.filter))


async def _change_named(tagger: Tagger, claim: Claim) -> None:
    """Call for the next people that a request named. Who is done waits no more."""
    async with tagger.sessions.begin() as session:
        openids = await run_store.waiting(session, claim.run.id, CALL_LIMIT)
    called = await _call(tagger, claim.run, openids)
    now = tagger.clock.now()
    async with tagger.sessions.begin() as session:
        run = await run_store.record(session, claim, called, now)
        if run is not None and not openids:
            run_store.finish(run, now)


async def _change_matching(tagger: Tagger, claim: Claim, wanted: TagFilter) -> None:
    """Call for the next followers that match a filter. The run notes up to whom it has come."""
    async with tagger.sessions.begin() as session:
        found = await people.next_people(
            session, claim.run.appid, wanted, claim.run.cursor or "", CALL_LIMIT
        )
    called = await _call(tagger, claim.run, found.openids)
    now = tagger.clock.now()
    async with tagger.sessions.begin() as session:
        run = await run_store.record(session, claim, called, now)
        if run is None:
            return
        if len(called.done) + len(called.refused) < len(found.openids):
            run.cursor = called.last or run.cursor
        elif found.cursor is None:
            run_store.finish(run, now)
        else:
            run.cursor = found.cursor


async def _call(tagger: Tagger, run: TagRun, openids: Sequence[str]) -> Called:
    """Call WeChat, with no transaction open."""
    if not openids:
        return Called()
    began = tagger.clock.now()
    return await call_in_parts(
        lambda part: tagger.wechat.change(AppId(run.appid), run.action, run.tag_id or 0, part),
        openids,
        lambda: tagger.clock.now() - began < STEP_TIME,
    )


async def _plan(tagger: Tagger, appid: str) -> None:
    """Enqueue the next job of the account, if one is due soon."""
    now = tagger.clock.now()
    async with tagger.sessions.begin() as session:
        at = await run_store.next_at(session, appid)
        if at is not None and at - now < SWEEP_EVERY:
            await enqueue(session, [run_job(appid, max(at - now, timedelta()))])


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the job of each account with a run that is due."""
    async with sessions.begin() as session:
        await run_store.enqueue_due(session, clock.now())
