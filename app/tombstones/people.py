"""Who has been erased, for whoever learns of people otherwise than by a push.

A push is looked at after it is stored. A synchronisation or a report asks before it writes, and
holds a shared lock: an erasure that begins meanwhile waits with its tombstones for what is being
written, and finds it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.models import ErasedPerson, Scope
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.subject import ErasureSubject
from app.wechat.ids import AccountOpenId


@dataclass(frozen=True, slots=True)
class Tombstone:
    """until: what was so by then is erased. wholly: the identity too, not contents alone.

    by_unionid: their UnionID is; nobody knew that this OpenID is theirs.
    """

    until: datetime
    wholly: bool
    by_unionid: bool = False


async def erased_among(
    session: AsyncSession, secret: SecretStr | None, people: Collection[AccountOpenId]
) -> dict[AccountOpenId, Tombstone]:
    """Return those of these OpenIDs that have been erased; until the transaction ends nobody is.

    First in its transaction. secret: of the pseudonyms, as `pseudonyms` takes it.
    """
    await lock_shared(session)
    if not await session.scalar(_ANYBODY):
        return {}
    names = await pseudonyms(session, secret)
    known = {(appid, names.of_openid(appid, openid)): (appid, openid) for appid, openid in people}
    found = await session.execute(
        _GONE,
        {"appids": [appid for appid, _ in known], "pseudonyms": [name for _, name in known]},
    )
    return {known[appid, name]: Tombstone(until, wholly) for appid, name, until, wholly in found}


async def lock_shared(session: AsyncSession) -> None:
    """Let nobody be erased until the transaction ends."""
    await session.execute(_SHARE)


async def lock_exclusive(session: AsyncSession) -> None:
    """Wait for whoever asked `erased_among` and still writes; whoever asks later waits for this."""
    await session.execute(_ALONE)


async def remember(session: AsyncSession, person: ErasureSubject, scope: Scope) -> None:
    """Write the tombstone of an OpenID, for what comes late; one that reaches farther stays."""
    new = insert(ErasedPerson).values(
        appid=person.appid, pseudonym=person.pseudonym, until=person.until, scope=scope
    )
    farther = {"until": new.excluded.until, "scope": new.excluded.scope}
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ErasedPerson.appid, ErasedPerson.pseudonym],
            set_=farther,
            where=ErasedPerson.until < new.excluded.until,
        )
    )


_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('oa_bridge.erased_people', 0))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('oa_bridge.erased_people', 0))")

_ANYBODY = text("SELECT EXISTS (SELECT FROM erased_people)")

_GONE = text(
    """
    SELECT appid, pseudonym, until, scope = 'everything'
    FROM erased_people
    JOIN unnest(CAST(:appids AS text[]), CAST(:pseudonyms AS text[])) AS p(appid, pseudonym)
    USING (appid, pseudonym)
    """
)
