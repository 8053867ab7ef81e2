"""The job that looks whether pushes that were just stored belong to, or name, somebody erased.

A push may have been under way, or in a spool, while its sender left and was erased.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.events import erase as events
from app.events.activity import FIRST_ID
from app.identity import erase as identity
from app.privacy.erase import ALL
from app.privacy.inbox_protocol import NamedInPushes
from app.privacy.models import Trigger
from app.privacy.plan import Eraser
from app.privacy.policy import BY_WECHAT, ErasureRequest, NewErasure
from app.privacy.store import open_erasure
from app.tombstones.models import ErasedPerson, Scope
from app.tombstones.pseudonyms import Pseudonyms, pseudonyms
from app.tombstones.subject import ErasureSubject
from app.tombstones.unionids import erased_unionids

MAX_AT_ONCE: Final = 200


async def check(eraser: Eraser) -> None:
    """Open erasures for those among the senders whose push is from before theirs.

    Also for those who are gone, and of whom something was only reported since, and for those whom
    the database function `oa_bridge_named` finds named in such a push.
    """
    while await _check_some(eraser):
        pass


async def _check_some(eraser: Eraser) -> bool:
    async with eraser.sessions.begin() as session:
        names = await pseudonyms(session, eraser.secret)
        taken = (await session.scalars(_TAKE, {"limit": MAX_AT_ONCE})).all()
        pushes = await eraser.inbox.named_in(session, taken)
        for some in await _concerned(session, pushes, names):
            for until, scope in await _late(eraser, session, some, names):
                await open_erasure(session, _erasure(some, until, scope, eraser.clock.now()))
        await _clear_unionids(eraser, session, names, {some.openid for some in pushes})
    return bool(pushes)


async def _concerned(
    session: AsyncSession, pushes: Sequence[NamedInPushes], names: Pseudonyms
) -> list[NamedInPushes]:
    """Return those of people of whom anything was erased. Most words in a push are nobody's id."""
    found = await session.execute(
        _CONCERNED,
        {
            "appids": [some.appid for some in pushes],
            "openids": [some.openid for some in pushes],
            "pseudonyms": [names.of_openid(some.appid, some.openid) for some in pushes],
        },
    )
    concerned = {(appid, openid) for appid, openid in found}
    return [some for some in pushes if (some.appid, some.openid) in concerned]


async def _clear_unionids(
    eraser: Eraser, session: AsyncSession, names: Pseudonyms, words: Collection[str]
) -> None:
    """Clear pushes that name somebody by a UnionID alone that has been erased.

    Whose OpenID they name nobody knows, so that there is nobody to open an erasure for.
    """
    for unionid, until in sorted((await erased_unionids(session, names, words)).items()):
        await eraser.inbox.erase_unionids(session, [unionid], until, ALL)


async def _late(
    eraser: Eraser, session: AsyncSession, pushes: NamedInPushes, names: Pseudonyms
) -> list[tuple[datetime, Scope]]:
    """Return what has to be erased of the person, and until when."""
    appid, openid = pushes.appid, pushes.openid
    pseudonym = names.of_openid(appid, openid)
    gone = await session.get(ErasedPerson, (appid, pseudonym))
    found: list[tuple[datetime, Scope]] = []
    if gone is not None:
        found += await _late_for_the_gone(eraser, session, pushes, gone)
    else:
        until = await identity.erased_until(session, appid, openid)
        found += [(until, Scope.CONTENT)] if until is not None and pushes.first <= until else []
    classes = await identity.classes_erased_until(session, appid, openid)
    found += [(until, Scope(name)) for name, until in classes.items() if pushes.first <= until]
    return found


async def _late_for_the_gone(
    eraser: Eraser, session: AsyncSession, pushes: NamedInPushes, gone: ErasedPerson
) -> list[tuple[datetime, Scope]]:
    """Once the row is marked, the inbox sees what is late; what it stored before is looked for."""
    person = ErasureSubject(pushes.appid, pushes.openid, gone.until, FIRST_ID, gone.pseudonym, {})
    if gone.scope is Scope.EVERYTHING and not await events.is_back(session, person):
        return [(max(gone.until, pushes.last), gone.scope)]
    await identity.mark(session, person)
    await events.hand_over(session, person)
    if await eraser.inbox.has_before(session, person):
        return [(gone.until, gone.scope)]
    return []


def _erasure(push: NamedInPushes, until: datetime, scope: Scope, now: datetime) -> NewErasure:
    return NewErasure(
        id=uuid7(),
        duty=ErasureRequest(Trigger.LATE, ((push.appid, push.openid),)),
        appid=push.appid,
        requested_by=BY_WECHAT,
        requested_at=now,
        until=until,
        scope=scope,
    )


_CONCERNED = text(
    """
    SELECT p.appid, p.openid
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:pseudonyms AS text[]))
         AS p(appid, openid, pseudonym)
    WHERE EXISTS (
        SELECT FROM erased_people e WHERE e.appid = p.appid AND e.pseudonym = p.pseudonym
    ) OR EXISTS (
        SELECT FROM openids o WHERE o.appid = p.appid AND o.openid = p.openid
          AND (o.erased_until IS NOT NULL OR o.revoked IS NOT NULL)
    )
    """
)

_TAKE = text(
    """
    DELETE FROM late_pushes WHERE callback_id = ANY(ARRAY(
        SELECT callback_id FROM late_pushes ORDER BY callback_id LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING callback_id
    """
)
