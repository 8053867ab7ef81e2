"""The job `privacy.check`: finds newly stored pushes that are from erased people or name them.

Such a push was under way, or in a spool, while the person was being erased.
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
from app.privacy.erase import UNLIMITED
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
    """Open erasures for people whose push is not later than their erasure.

    This covers the senders and the people whom the database function `oa_bridge_named` finds named
    in a push. It also covers people whose ids are erased and who have not been active since: a
    later push is then only a report about them.
    """
    while await _check_some(eraser):
        pass


async def _check_some(eraser: Eraser) -> bool:
    async with eraser.sessions.begin() as session:
        names = await pseudonyms(session, eraser.secret)
        callback_ids = (await session.scalars(_TAKE, {"limit": MAX_AT_ONCE})).all()
        pushes = await eraser.inbox.named_in(session, callback_ids)
        for one in await _of_erased_people(session, pushes, names):
            for until, scope in await _late_data(eraser, session, one, names):
                await open_erasure(session, _erasure(one, until, scope, eraser.clock.now()))
        await _clear_unionids(eraser, session, names, {one.openid for one in pushes})
    return bool(pushes)


async def _of_erased_people(
    session: AsyncSession, pushes: Sequence[NamedInPushes], names: Pseudonyms
) -> list[NamedInPushes]:
    """Return those of people of whom anything is erased.

    Most of the words that `named_in` returns are no ids: in some pushes any word may be an id.
    """
    found = await session.execute(
        _ERASED,
        {
            "appids": [one.appid for one in pushes],
            "openids": [one.openid for one in pushes],
            "pseudonyms": [names.of_openid(one.appid, one.openid) for one in pushes],
        },
    )
    erased = {(appid, openid) for appid, openid in found}
    return [one for one in pushes if (one.appid, one.openid) in erased]


async def _clear_unionids(
    eraser: Eraser, session: AsyncSession, names: Pseudonyms, words: Collection[str]
) -> None:
    """Clear pushes that name an erased UnionID.

    No OpenID is known for it, so no erasure can be opened.
    """
    for unionid, until in sorted((await erased_unionids(session, names, words)).items()):
        await eraser.inbox.erase_unionids(session, [unionid], until, UNLIMITED)


async def _late_data(
    eraser: Eraser, session: AsyncSession, pushes: NamedInPushes, names: Pseudonyms
) -> list[tuple[datetime, Scope]]:
    """Return until when and with which scopes the person has to be erased."""
    appid, openid = pushes.appid, pushes.openid
    pseudonym = names.of_openid(appid, openid)
    tombstone = await session.get(ErasedPerson, (appid, pseudonym))
    found: list[tuple[datetime, Scope]] = []
    if tombstone is not None:
        found += await _late_for_tombstone(eraser, session, pushes, tombstone)
    else:
        until = await identity.erased_until(session, appid, openid)
        found += [(until, Scope.CONTENT)] if until is not None and pushes.first <= until else []
    classes = await identity.classes_erased_until(session, appid, openid)
    found += [(until, Scope(name)) for name, until in classes.items() if pushes.first <= until]
    return found


async def _late_for_tombstone(
    eraser: Eraser, session: AsyncSession, pushes: NamedInPushes, tombstone: ErasedPerson
) -> list[tuple[datetime, Scope]]:
    until = tombstone.until
    person = ErasureSubject(pushes.appid, pushes.openid, until, FIRST_ID, tombstone.pseudonym, {})
    if tombstone.scope is Scope.EVERYTHING and not await events.has_returned(session, person):
        return [(max(until, pushes.last), tombstone.scope)]
    # From the mark on, the inbox itself recognises late pushes; earlier ones are looked for here.
    await identity.mark(session, person)
    await events.restore_follower(session, person)
    if await eraser.inbox.has_before(session, person):
        return [(until, tombstone.scope)]
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


_ERASED = text(
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
