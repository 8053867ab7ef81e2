"""Opens erasures that an operator asks for."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.identity import lookup
from app.privacy import mentions
from app.privacy.models import Trigger
from app.privacy.policy import ErasureRequest, NewErasure
from app.privacy.store import open_erasure
from app.tombstones.subject import is_erased


async def erase_unionid(
    session: AsyncSession, unionid: str, *, asked: Collection[str], actor: Actor, now: datetime
) -> UUID | None:
    """Open the erasure of a person at all accounts; return its id.

    asked: AppIDs of accounts where only WeChat's own word ties an OpenID to a UnionID. None when
    the UnionID is not on record. A UnionID that no OpenID has any more is only removed from events
    and pushes.
    """
    people = await lookup.people_of(session, [unionid], asked)
    if not people and not await mentions.is_mentioned(session, unionid):
        return None
    return await _open(session, tuple(sorted(people)), (unionid,), actor=actor, now=now)


async def erase_openid(
    session: AsyncSession, appid: str, openid: str, *, actor: Actor, now: datetime
) -> UUID | None:
    """Open the erasure of a person at all accounts, found by one OpenID; return its id.

    None when the OpenID is unknown and no push is from it or names it.
    """
    # A push of a kind that the protocol does not list adds no OpenID row, but holds personal data.
    people = ((appid, openid),)
    if not await lookup.people_known(session, people) and (
        is_erased(openid) or not await mentions.is_in_pushes(session, appid, openid)
    ):
        return None
    return await _open(session, people, (), actor=actor, now=now)


async def _open(
    session: AsyncSession,
    people: tuple[tuple[str, str], ...],
    unionids: tuple[str, ...],
    *,
    actor: Actor,
    now: datetime,
) -> UUID:
    seen = await lookup.last_seen(session, people)
    erasure = NewErasure(
        id=uuid7(),
        duty=ErasureRequest(Trigger.REQUEST, people, unionids),
        appid=None,
        requested_by=actor.name,
        requested_at=now,
        until=now if seen is None else max(now, seen),  # WeChat's clock may be ahead of ours
    )
    await open_erasure(session, erasure)
    subject = Subject(SubjectKind.ERASURE, str(erasure.id))
    await audit.record(session, actor, Action.ERASURE_REQUESTED, subject, now=now)
    return erasure.id
