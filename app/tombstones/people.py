"""Tombstone lookup for code that learns about people from a sync or a login report.

Such code checks the tombstones before it writes and holds a shared lock until it commits. An
erasure that starts meanwhile waits for that lock, so it finds and erases the new rows. Pushes do
not use this lock: `privacy.late_pushes` checks them after they are stored.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.models import ErasedPerson, Scope
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.subject import ErasureSubject
from app.wechat.ids import AccountOpenId


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Says how far a person is erased.

    until: data up to then is erased. identity_erased: the ids are erased too, not only contents.
    by_unionid: the tombstone is that of the UnionID; the OpenID was not yet linked to it.
    """

    until: datetime
    identity_erased: bool
    by_unionid: bool = False


async def erased_among(
    session: AsyncSession, secret: ErasureSecret, people: Collection[AccountOpenId]
) -> dict[AccountOpenId, Tombstone]:
    """Return the tombstones of those OpenIDs that have been erased.

    Call it first in the transaction: no erasure can write a tombstone until the transaction ends.
    secret: for the pseudonyms, see `pseudonyms`.
    """
    await lock_shared(session)
    if not await session.scalar(_ANY):
        return {}
    names = await pseudonyms(session, secret)
    known = {(appid, names.of_openid(appid, openid)): (appid, openid) for appid, openid in people}
    found = await session.execute(
        _ERASED,
        {"appids": [appid for appid, _ in known], "pseudonyms": [name for _, name in known]},
    )
    return {known[appid, name]: Tombstone(until, whole) for appid, name, until, whole in found}


async def lock_shared(session: AsyncSession) -> None:
    """Keep erasures from writing tombstones until the transaction ends."""
    await session.execute(_LOCK_SHARED)


async def lock_exclusive(session: AsyncSession) -> None:
    """Wait for the transactions that hold the shared lock, and make later ones wait for this."""
    await session.execute(_LOCK_EXCLUSIVE)


async def write_tombstone(session: AsyncSession, person: ErasureSubject, scope: Scope) -> None:
    """Write the tombstone of an OpenID; an existing one with the same or a later `until` stays."""
    new = insert(ErasedPerson).values(
        appid=person.appid, pseudonym=person.pseudonym, until=person.until, scope=scope
    )
    later = {"until": new.excluded.until, "scope": new.excluded.scope}
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ErasedPerson.appid, ErasedPerson.pseudonym],
            set_=later,
            where=ErasedPerson.until < new.excluded.until,
        )
    )


_LOCK_SHARED = text(
    "SELECT pg_advisory_xact_lock_shared(hashtextextended('oa_bridge.erased_people', 0))"
)
_LOCK_EXCLUSIVE = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('oa_bridge.erased_people', 0))"
)

_ANY = text("SELECT EXISTS (SELECT FROM erased_people)")

_ERASED = text(
    """
    SELECT appid, pseudonym, until, scope = 'everything'
    FROM erased_people
    JOIN unnest(CAST(:appids AS text[]), CAST(:pseudonyms AS text[])) AS p(appid, pseudonym)
    USING (appid, pseudonym)
    """
)
