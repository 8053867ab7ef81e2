"""The job that looks whether pushes that were just stored belong to somebody who is erased.

A push may have been under way, or in a spool, while its sender left and was erased.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.identity import erase as identity
from app.identity.erasing import Person
from app.privacy.duties import BY_WECHAT, Duty, NewErasure
from app.privacy.models import ErasedPerson, Scope, Trigger
from app.privacy.open import open_erasure
from app.privacy.plan import FIRST_ID, Eraser
from app.privacy.pseudonyms import Pseudonyms, pseudonyms

MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class _Push:
    appid: str
    openid: str
    occurred_at: datetime


async def check(eraser: Eraser) -> None:
    """Open an erasure for everybody among the senders whose push is from before theirs."""
    while await _check_some(eraser):
        pass


async def _check_some(eraser: Eraser) -> bool:
    async with eraser.sessions.begin() as session:
        names = await pseudonyms(session, eraser.secret)
        pushes = [_Push(*row) for row in await session.execute(_TAKE, {"limit": MOST_AT_ONCE})]
        for push in pushes:
            erasure = await _late(session, push, names, eraser.clock.now())
            if erasure is not None:
                await open_erasure(session, erasure)
    return bool(pushes)


async def _late(
    session: AsyncSession, push: _Push, names: Pseudonyms, now: datetime
) -> NewErasure | None:
    pseudonym = names.of_openid(push.appid, push.openid)
    gone = await session.get(ErasedPerson, (push.appid, pseudonym))
    if gone is not None:
        if push.occurred_at <= gone.until:
            return _erasure(push, gone.until, gone.scope, now)
        await _mark(session, push, gone)
    until = await identity.erased_until(session, push.appid, push.openid)
    if until is not None and push.occurred_at <= until:
        return _erasure(push, until, Scope.CONTENT, now)
    return None


async def _mark(session: AsyncSession, push: _Push, gone: ErasedPerson) -> None:
    """Let the inbox see what is late for somebody who is back."""
    person = Person(push.appid, push.openid, gone.until, FIRST_ID, gone.pseudonym, {})
    await identity.mark(session, person)


def _erasure(push: _Push, until: datetime, scope: Scope, now: datetime) -> NewErasure:
    return NewErasure(
        id=uuid7(),
        duty=Duty(Trigger.LATE, ((push.appid, push.openid),)),
        appid=push.appid,
        requested_by=BY_WECHAT,
        requested_at=now,
        until=until,
        scope=scope,
    )


_TAKE = text(
    """
    WITH taken AS (
        DELETE FROM late_pushes WHERE callback_id = ANY(ARRAY(
            SELECT callback_id FROM late_pushes ORDER BY callback_id LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING callback_id
    )
    SELECT appid, openid, min(occurred_at)
    FROM taken JOIN callbacks ON id = callback_id
    GROUP BY appid, openid ORDER BY appid, openid
    """
)
