"""The job that carries an erasure out, in steps.

A step is a transaction that locks the erasure's row and adds to its counts. Every step may be
repeated, so the job may end anywhere and run again, or twice at once. Most rows go in bounded
batches. The last step of a person locks their OpenID, so that the inbox waits; what it stored
since is found, and what it stores afterwards is known to be late.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.erase import erase_mentions
from app.events import erase as events
from app.feed import erase as feed
from app.followers import erase as followers
from app.identity import erase as identity
from app.identity.erasing import Person
from app.privacy.duties import KINDS, PROFILE_MEMBERS
from app.privacy.models import Erasure, Scope
from app.privacy.plan import Eraser, Plan, plan, remember
from app.replies import erase as replies
from app.rules import erase as rules

BATCH: Final = 500
ALL: Final = 1_000_000

Counts = Mapping[str, int]
Work = Callable[[AsyncSession], Awaitable[Counts]]

log = structlog.get_logger()


async def erase(eraser: Eraser, erasure_id: UUID) -> None:
    """Carry one erasure out; does nothing when that is done."""
    planned = await plan(eraser, erasure_id)
    if planned is None:
        return
    for person in planned.people:
        if planned.scope in {Scope.CONTENT, Scope.EVERYTHING, Scope.PERSON}:
            await _erase_person(eraser, planned, person)
        else:
            await _erase_class(eraser, planned, person)
    await _step(eraser, planned, partial(_finish, eraser, planned))
    log.info("privacy.erased", erasure_id=str(erasure_id), scope=planned.scope.value)


async def _erase_class(eraser: Eraser, planned: Plan, person: Person) -> None:
    async def some(session: AsyncSession) -> Counts:
        if planned.scope is Scope.PROFILE:
            cleared = await eraser.inbox.erase_members(session, person, PROFILE_MEMBERS, BATCH)
        else:
            kinds = KINDS.get(planned.scope, ())
            cleared = await eraser.inbox.erase_kinds(session, person, kinds, BATCH)
        return {"callbacks": cleared}

    await _in_batches(eraser, planned, some)


async def _erase_person(eraser: Eraser, planned: Plan, person: Person) -> None:
    for work in (_some_replies, _some_callbacks):
        await _in_batches(eraser, planned, partial(work, eraser, planned, person, BATCH))
    await _step(eraser, planned, partial(_seal, eraser, planned, person))
    await _step(eraser, planned, partial(_forget_rules, person))


async def _some_replies(
    _: Eraser, planned: Plan, person: Person, limit: int, session: AsyncSession
) -> Counts:
    erase_some = replies.erase_identity if planned.of_identity else replies.erase_contents
    return {"replies": await erase_some(session, person, limit)}


async def _some_callbacks(
    eraser: Eraser, planned: Plan, person: Person, limit: int, session: AsyncSession
) -> Counts:
    inbox = eraser.inbox
    erase_some = inbox.erase_identity if planned.of_identity else inbox.erase_contents
    return {"callbacks": await erase_some(session, person, limit)}


async def _seal(eraser: Eraser, planned: Plan, person: Person, session: AsyncSession) -> Counts:
    """Everything that is left of a person, with the inbox kept out."""
    known = await identity.lock(session, person)
    counts = Counter(await _some_replies(eraser, planned, person, ALL, session))
    counts.update(await _some_callbacks(eraser, planned, person, ALL, session))
    counts.update({"send_windows": await replies.erase_windows(session, person)})
    counts.update(await events.erase_contents(session, person))
    back = await events.is_back(session, person)
    if planned.of_identity:
        counts.update(await events.erase_identity(session, person, back=back))
    if planned.of_identity and not back:
        counts.update(await identity.erase(session, person))
        counts.update(
            {
                "identity_events": await feed.erase(session, person.appid, person.openid),
                "follower_marks": await followers.erase(session, person),
            }
        )
    elif known:
        await identity.mark(session, person)
    else:
        await remember(session, person, Scope.CONTENT)
    return counts


async def _forget_rules(person: Person, session: AsyncSession) -> Counts:
    return {"rule_firings": await rules.erase(session, person)}


async def _finish(eraser: Eraser, planned: Plan, session: AsyncSession) -> Counts:
    """Turn the erasure into its certificate, and leave nobody's id in PgQueuer's tables."""
    words = {person.openid for person in planned.people}
    if planned.of_identity:
        words.update(*(person.unionids for person in planned.people))
    erasure = await session.get_one(Erasure, planned.erasure_id)
    erasure.subject = None
    erasure.erased = [[person.appid, person.pseudonym] for person in planned.people]
    erasure.finished_at = eraser.clock.now()
    if not planned.of_identity:
        erasure.unlinked_at = erasure.finished_at
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
