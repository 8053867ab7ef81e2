"""The job `privacy.erase`: carries one erasure out, in steps.

A step is a transaction that locks the erasure's row and adds to its counts. Every step can be
repeated: the job may stop anywhere and run again, or run twice at the same time. Most rows are
erased in bounded batches. The final step of a person locks the OpenID, so that the inbox waits: the
step erases what was stored in the meantime, and later pushes are recognised as late.

Webhooks that received data of the person must be notified of the erasure. Until they are, or until
LONGEST_NOTICE is over, contents are erased and the ids stay; the sweep enqueues the job again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals import erase as arrivals
from app.campaigns import erase_invitations as invitations
from app.codes import erase as codes
from app.db.job_erasure import erase_mentions
from app.events import erase as events
from app.events.unionid_store import copy_unionid, replace_unionids
from app.follower_sync import erase as followers
from app.funnel import erase as funnel
from app.growth import count as growth
from app.identity import erase as identity
from app.identity import reset
from app.notices import erase as notices
from app.notices import queue_lock
from app.privacy.models import Erasure
from app.privacy.plan import Eraser, Plan, plan_erasure
from app.privacy.revoke_codes import KINDS, PROFILE_MEMBERS
from app.qrcodes.erase import count_before_erasure
from app.replies import erase as replies
from app.rules import erase as rules
from app.tags import erase as tags
from app.tombstones.models import Scope
from app.tombstones.people import write_tombstone
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.subject import ErasureSubject
from app.webhooks import erase as webhooks
from app.webhooks import erasure_notices

BATCH: Final = 500
UNLIMITED: Final = 1_000_000
END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
# The ids are kept for at most so long when webhooks could not be notified of the erasure.
LONGEST_NOTICE: Final = timedelta(hours=24)
SHORTEST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(minutes=10)

Counts = Mapping[str, int]
Work = Callable[[AsyncSession], Awaitable[Counts]]

log = structlog.get_logger()


async def erase(eraser: Eraser, erasure_id: UUID) -> None:
    """Carry one erasure out; do nothing if it is finished."""
    planned = await plan_erasure(eraser, erasure_id)
    if planned is None:
        return
    if planned.of_identity and await _waits_for_webhooks(eraser, planned):
        for person in planned.people:
            await _erase_person(eraser, replace(planned, scope=Scope.CONTENT), person)
        await _step(eraser, planned, partial(_schedule_next_try, eraser, planned))
        log.info("privacy.waits_for_webhooks", erasure_id=str(erasure_id))
        return
    for person in planned.people:
        if planned.scope in {Scope.CONTENT, Scope.EVERYTHING, Scope.PERSON}:
            await _erase_person(eraser, planned, person)
        else:
            await _erase_class(eraser, planned, person)
    if planned.unionids:
        await _in_batches(eraser, planned, partial(_erase_some_mentions, eraser, planned, BATCH))
        await _in_batches(eraser, planned, partial(_forget_some_unionids, eraser, planned, BATCH))
        await _step(eraser, planned, partial(_forget_unionids, planned))
    await _step(eraser, planned, partial(_finish, eraser, planned))
    log.info("privacy.erased", erasure_id=str(erasure_id), scope=planned.scope.value)


async def _waits_for_webhooks(eraser: Eraser, planned: Plan) -> bool:
    people = [(person.appid, person.openid) for person in planned.people]
    async with eraser.sessions() as session:
        pending = await erasure_notices.count_pending_webhooks(session, people, planned.erasure_id)
    if not pending or eraser.clock.now() < planned.requested_at + LONGEST_NOTICE:
        return bool(pending)
    await _step(eraser, planned, partial(_count_not_notified, pending))
    return False


async def _schedule_next_try(eraser: Eraser, planned: Plan, session: AsyncSession) -> Counts:
    """Set `waits_until`: the pause is a quarter of the time waited so far, within bounds."""
    erasure = await session.get_one(Erasure, planned.erasure_id)
    now = eraser.clock.now()
    waited = now - erasure.requested_at
    erasure.waits_until = now + min(max(waited / 4, SHORTEST_WAIT), LONGEST_WAIT)
    return await _erase_in_jobs(planned, session)


async def _count_not_notified(webhooks: int, _: AsyncSession) -> Counts:
    return {"webhooks_not_told": webhooks}


async def _erase_class(eraser: Eraser, planned: Plan, person: ErasureSubject) -> None:
    if planned.scope is Scope.NOT_HELD:
        return
    await _in_batches(
        eraser, planned, partial(_erase_some_of_class, eraser, planned, person, BATCH)
    )
    await _step(eraser, planned, partial(_finish_class, eraser, planned, person))


async def _erase_some_of_class(
    eraser: Eraser, planned: Plan, person: ErasureSubject, limit: int, session: AsyncSession
) -> Counts:
    if planned.scope is Scope.PROFILE:
        cleared = await eraser.inbox.erase_members(session, person, PROFILE_MEMBERS, limit)
    else:
        cleared = await eraser.inbox.erase_kinds(session, person, KINDS[planned.scope], limit)
    return {"callbacks": cleared}


async def _finish_class(
    eraser: Eraser, planned: Plan, person: ErasureSubject, session: AsyncSession
) -> Counts:
    """Erase the rest of the class while the inbox is locked out, as in `_finish_person`."""
    known = await identity.lock(session, person)
    counts = await _erase_some_of_class(eraser, planned, person, UNLIMITED, session)
    if known:
        await identity.mark_class(session, person, planned.scope.value)
    else:
        # There is no row to note the class on: all contents up to then are erased if they arrive.
        await write_tombstone(session, person, Scope.CONTENT)
    return counts


async def _erase_person(eraser: Eraser, planned: Plan, person: ErasureSubject) -> None:
    await _step(eraser, planned, partial(_count_before_erasure, person))
    for work in (
        _erase_some_replies,
        _erase_some_notices,
        _erase_some_callbacks,
        _erase_some_arrivals,
    ):
        await _in_batches(eraser, planned, partial(work, eraser, planned, person, BATCH))
    await _step(eraser, planned, partial(_finish_person, eraser, planned, person))
    await _step(eraser, planned, partial(_erase_rule_firings, person))


async def _count_before_erasure(person: ErasureSubject, session: AsyncSession) -> Counts:
    await funnel.count_before_erasure(session, person)
    return {}


async def _erase_some_replies(
    _: Eraser, planned: Plan, person: ErasureSubject, limit: int, session: AsyncSession
) -> Counts:
    erase_some = replies.erase_identity if planned.of_identity else replies.erase_contents
    return {"replies": await erase_some(session, person, limit)}


async def _erase_some_notices(
    _: Eraser, planned: Plan, person: ErasureSubject, limit: int, session: AsyncSession
) -> Counts:
    erase_some = notices.erase_identity if planned.of_identity else notices.erase_contents
    return {"notices": await erase_some(session, person, limit)}


async def _erase_some_callbacks(
    eraser: Eraser, planned: Plan, person: ErasureSubject, limit: int, session: AsyncSession
) -> Counts:
    inbox = eraser.inbox
    erase_some = inbox.erase_identity if planned.of_identity else inbox.erase_contents
    return {"callbacks": await erase_some(session, person, limit)}


async def _erase_some_arrivals(
    _: Eraser, planned: Plan, person: ErasureSubject, limit: int, session: AsyncSession
) -> Counts:
    erase_some = arrivals.erase_identity if planned.of_identity else arrivals.erase_contents
    return {"arrivals": await erase_some(session, person, limit)}


async def _finish_person(
    eraser: Eraser, planned: Plan, person: ErasureSubject, session: AsyncSession
) -> Counts:
    """Erase what is left of a person while the inbox and audiences of notices are locked out."""
    known = await identity.lock(session, person)
    await queue_lock.lock_exclusive(session, person.appid)
    returned = await events.has_returned(session, person)
    if planned.of_identity and not returned:
        # Later rows are then only reports about the person, such as deliveries: they go too.
        person = replace(person, until=END_OF_TIME)
    counts = Counter(await _erase_some_replies(eraser, planned, person, UNLIMITED, session))
    counts.update(await _erase_some_notices(eraser, planned, person, UNLIMITED, session))
    counts.update(await _erase_some_callbacks(eraser, planned, person, UNLIMITED, session))
    # After the replies and notices: an arrival that is settled meanwhile reads who got those.
    counts.update(await _erase_some_arrivals(eraser, planned, person, UNLIMITED, session))
    counts.update({"send_windows": await replies.erase_windows(session, person)})
    counts.update({"tags": await tags.erase(session, person)})
    await count_before_erasure(session, person)
    counts.update({"invitations": await invitations.erase(session, person, eraser.secret)})
    await funnel.erase(session, person, of_identity=planned.of_identity)
    counts.update(await events.erase_contents(session, person))
    if planned.of_identity:
        counts.update(await events.erase_identity(session, person, returned=returned))
        counts.update({"notice_consents": await notices.erase_consents(session, person)})
        counts.update({"notice_sends": await notices.erase_listed(session, person)})
        counts.update({"campaign_codes": await codes.erase_identity(session, person)})
    if planned.of_identity and not returned:
        counts.update(await identity.erase(session, person))
        counts.update(
            {
                "identity_events": await webhooks.erase(session, person.appid, person.openid),
                "follower_marks": await followers.erase(session, person),
            }
        )
    elif known:
        await identity.mark(session, person)
        if planned.of_identity:
            first_push = await eraser.inbox.first_after(session, person)
            await reset.reset_first_seen(session, person, first_push)
        if planned.scope is Scope.PERSON:
            counts.update(await _forget_unionid(eraser, person, session))
    else:
        await write_tombstone(session, person, Scope.CONTENT)
    await funnel.count_after_erasure(session, person)
    await growth.correct(session, person)  # the last step, since it locks what others wait for
    return counts


async def _forget_unionid(eraser: Eraser, person: ErasureSubject, session: AsyncSession) -> Counts:
    """Erase the UnionID of a returning person, up to the time of the request."""
    account = eraser.accounts.get(person.appid)
    asks = account is not None and account.kind == "oa"
    return {
        **await reset.forget_unionid(session, person, now=eraser.clock.now(), asks=asks),
        **await copy_unionid(session, person),
        **await reset.forget_changes(session, person),
        "identity_events": await webhooks.erase(session, person.appid, person.openid),
    }


async def _erase_rule_firings(person: ErasureSubject, session: AsyncSession) -> Counts:
    return {"rule_firings": await rules.erase(session, person)}


async def _erase_some_mentions(
    eraser: Eraser, planned: Plan, limit: int, session: AsyncSession
) -> Counts:
    """Clear pushes that name one of the UnionIDs."""
    inbox = eraser.inbox
    cleared = await inbox.erase_unionids(session, planned.unionids, planned.until, limit)
    return {"callbacks": cleared}


async def _forget_some_unionids(
    eraser: Eraser, planned: Plan, limit: int, session: AsyncSession
) -> Counts:
    """Take the UnionIDs out of arrivals that name no OpenID, or one that nobody else knows."""
    names = (await pseudonyms(session, eraser.secret)).of_unionids(planned.unionids)
    await funnel.forget_unionids(session, names, planned.until)
    return {"arrivals": await arrivals.forget_unionids(session, names, planned.until, limit)}


async def _forget_unionids(planned: Plan, session: AsyncSession) -> Counts:
    return {
        **await replace_unionids(session, planned.unionids),
        **await identity.forget_unionids(session, planned.unionids),
        "campaign_codes": await codes.forget_unionids(session, planned.unionids),
    }


async def _finish(eraser: Eraser, planned: Plan, session: AsyncSession) -> Counts:
    """Turn the erasure into its certificate, and remove the ids from PgQueuer's tables."""
    people = [(person.appid, person.openid) for person in planned.people]
    await erasure_notices.delete_notices(session, people)
    erasure = await session.get_one(Erasure, planned.erasure_id)
    erasure.subject = None
    erasure.erased = [[person.appid, person.pseudonym] for person in planned.people]
    erasure.finished_at = eraser.clock.now()
    erasure.waits_until = None
    if not planned.of_identity:
        erasure.unlinked_at = erasure.finished_at
    return await _erase_in_jobs(planned, session)


async def _erase_in_jobs(planned: Plan, session: AsyncSession) -> Counts:
    words = {person.openid for person in planned.people}
    if planned.of_identity:
        words.update(*(person.unionids for person in planned.people))
    return {"jobs": await erase_mentions(session, sorted(words))}


async def _in_batches(eraser: Eraser, planned: Plan, work: Work) -> None:
    while sum((await _step(eraser, planned, work)).values()):
        pass


async def _step(eraser: Eraser, planned: Plan, work: Work) -> Counts:
    async with eraser.sessions.begin() as session:
        erasure = await session.get(Erasure, planned.erasure_id, with_for_update=True)
        if erasure is None or erasure.finished_at is not None:  # another worker was faster
            return {}
        counts = Counter(await work(session))
        erasure.counts = dict(Counter(erasure.counts) + counts)
        return counts
