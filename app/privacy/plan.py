"""Decides which people and which data an erasure covers, and stores that before anything is erased.

After a crash in the middle, the erased rows could no longer say to whom they belong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.events import erase as events
from app.events.activity import FIRST_ID
from app.events.unionid_store import copy_unionid
from app.identity import lookup, reset
from app.privacy.inbox_protocol import Inbox
from app.privacy.mentions import unionids_in_rows_of
from app.privacy.models import Erasure, Trigger
from app.privacy.policy import OnUnfollow, scope_of
from app.settings import Account, asked_among
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.models import ErasedPerson, Scope
from app.tombstones.people import lock_exclusive, write_tombstone
from app.tombstones.pseudonyms import Pseudonyms, pseudonyms
from app.tombstones.subject import ErasureSubject
from app.tombstones.unionids import write_unionid_tombstones
from app.webhooks.erasure_notices import publish_erasure
from app.wechat.ids import AccountOpenId

IDENTITY = frozenset({Scope.EVERYTHING, Scope.PERSON})


@dataclass(frozen=True, slots=True)
class Eraser:
    """What erasing needs. secret: for the pseudonyms; None: the one stored in the database."""

    sessions: SessionFactory
    clock: Clock
    accounts: Mapping[str, Account]
    on_unfollow: OnUnfollow
    secret: ErasureSecret
    inbox: Inbox


@dataclass(frozen=True, slots=True)
class Plan:
    """What one erasure has to do. unionids: for the scope `person` alone, else empty."""

    erasure_id: UUID
    requested_at: datetime
    until: datetime
    scope: Scope
    people: tuple[ErasureSubject, ...]
    unionids: tuple[str, ...]

    @property
    def of_identity(self) -> bool:
        """Whether the ids are erased too, and not only contents."""
        return self.scope in IDENTITY


async def plan_erasure(eraser: Eraser, erasure_id: UUID) -> Plan | None:
    """Return what the erasure has to do; None if it is finished or does not exist."""
    async with eraser.sessions.begin() as session:
        erasure = await session.get(Erasure, erasure_id, with_for_update=True)
        if erasure is None or erasure.subject is None:
            return None
        names = await pseudonyms(session, eraser.secret)
        people = {(appid, openid) for appid, openid in erasure.subject["people"]}
        erasure.scope = await _scope(session, eraser, erasure, people, names)
        unionids = set(erasure.subject["unionids"])
        if erasure.scope in IDENTITY:
            await lock_exclusive(session)
        if erasure.scope is Scope.PERSON:
            asked = asked_among(eraser.accounts)
            people, unionids = await _all_accounts(session, erasure, people, unionids, asked)
            await _detach_unverified(session, eraser, erasure, people, unionids)
        former = await unionids_in_rows_of(session, people)
        former |= set(erasure.subject.get("former", ()))
        erasure.subject = {
            "people": sorted(people),
            "unionids": sorted(unionids),
            "former": sorted(former),
        }
        made = _people(erasure, people, unionids | former, names)
        if erasure.scope in IDENTITY:
            await _write_tombstones(session, erasure, made)
        if erasure.scope is Scope.PERSON:
            await write_unionid_tombstones(
                session, names.of_unionids(unionids).values(), erasure.until
            )
        own = sorted(unionids) if erasure.scope is Scope.PERSON else ()
        return Plan(
            erasure_id=erasure.id,
            requested_at=erasure.requested_at,
            until=erasure.until,
            scope=erasure.scope,
            people=made,
            unionids=tuple(own),
        )


async def _write_tombstones(
    session: AsyncSession, erasure: Erasure, people: Iterable[ErasureSubject]
) -> None:
    """Write tombstones, and the notices for webhooks.

    From now on only new activity makes these people known again.
    """
    for person in people:
        before = await session.get(ErasedPerson, (person.appid, person.pseudonym))
        await write_tombstone(session, person, Scope.EVERYTHING)
        published = erasure.trigger is Trigger.LATE and before is not None
        unfollowed = erasure.trigger is Trigger.UNSUBSCRIBE
        # The new follow of a person who came back is sent to the webhooks; a notice of the erasure
        # after it would make them delete the new data as well.
        if published or (unfollowed and await events.has_returned(session, person)):
            continue
        await publish_erasure(session, person.appid, person.openid)


async def _scope(
    session: AsyncSession,
    eraser: Eraser,
    erasure: Erasure,
    people: set[AccountOpenId],
    names: Pseudonyms,
) -> Scope:
    """Return the scope; for people whose ids are erased already at least `everything`."""
    if erasure.scope is not None:
        return erasure.scope
    account = eraser.accounts.get(erasure.appid or "")
    scope = scope_of(
        erasure.trigger,
        erasure.detail,
        kind=None if account is None else account.kind,
        on_unfollow=eraser.on_unfollow,
    )
    if scope not in IDENTITY and await _are_erased(session, people, names):
        return Scope.EVERYTHING
    return scope


async def _are_erased(session: AsyncSession, people: set[AccountOpenId], names: Pseudonyms) -> bool:
    if await lookup.people_known(session, people):
        return False
    until = await session.scalar(
        select(ErasedPerson.until)
        .where(
            ErasedPerson.pseudonym.in_([names.of_openid(*known) for known in people]),
            ErasedPerson.appid.in_([appid for appid, _ in people]),
            ErasedPerson.scope == Scope.EVERYTHING,
        )
        .limit(1)
    )
    return until is not None


async def _all_accounts(
    session: AsyncSession,
    erasure: Erasure,
    people: set[AccountOpenId],
    unionids: set[str],
    asked: frozenset[str],
) -> tuple[set[AccountOpenId], set[str]]:
    """Return the OpenIDs of a person at all accounts, and the UnionIDs.

    asked: accounts where only WeChat's own word ties an OpenID to a UnionID. Accounts where the
    person appeared only after the erased time are left out.
    """
    # Present UnionIDs only: a former one may have been reported by mistake and be somebody else's.
    unionids = unionids | await lookup.unionids_of(session, people, asked)
    others = await lookup.people_of(session, unionids, asked) - people
    new = {one for one in others if await _appeared_since(session, erasure, one)}
    return people | (others - new), unionids


async def _detach_unverified(
    session: AsyncSession,
    eraser: Eraser,
    erasure: Erasure,
    people: set[AccountOpenId],
    unionids: set[str],
) -> None:
    """Take the UnionIDs from OpenIDs which only a report of another party ties to them.

    WeChat is asked about each. If it names the erased UnionID, the OpenID is erased then.
    """
    found = await lookup.unverified_people_of(session, unionids, asked_among(eraser.accounts))
    for appid, openid in sorted(found - people):
        person = ErasureSubject(appid, openid, erasure.until, erasure.id, "", {})
        await reset.detach(session, person, now=eraser.clock.now())
        await copy_unionid(session, person)


async def _appeared_since(session: AsyncSession, erasure: Erasure, known: AccountOpenId) -> bool:
    seen = await lookup.first_seen(session, known)
    person = ErasureSubject(*known, erasure.until, erasure.id, "", {})
    return seen is not None and seen > erasure.until and await events.has_returned(session, person)


def _people(
    erasure: Erasure, people: set[AccountOpenId], unionids: set[str], names: Pseudonyms
) -> tuple[ErasureSubject, ...]:
    late = erasure.trigger is Trigger.LATE
    return tuple(
        ErasureSubject(
            appid,
            openid,
            erasure.until,
            FIRST_ID if late else erasure.id,
            names.of_openid(appid, openid),
            names.of_unionids(unionids),
        )
        for appid, openid in sorted(people)
    )
