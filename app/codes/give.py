"""Gives a person the one code of a pool that is theirs.

A person is a UnionID, and an OpenID until the UnionID is known. Whether two processes, two doors or
two accounts ask at once: the unique indexes of the table let one of them take a code, and the other
one then finds it. The row in `openids` is locked as long, so that a UnionID that becomes known
meanwhile is recorded before or after, and never in between; see `merge`.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes.holder import Door, Holder
from app.tombstones.pseudonyms import Pseudonyms

# Each failure means that somebody else has given the person a code, which the next look finds.
MAX_TRIES: Final = 5


class UnknownHolder(Exception):
    """Nothing is known of the person: the OpenID never came, or the person is erased."""


class GaveUp(Exception):
    """Others have changed the person's codes each time. It may be tried again."""

    def __init__(self) -> None:
        super().__init__("the codes of the person are being changed by others")


async def give(
    session: AsyncSession,
    campaign_id: UUID,
    holder: Holder,
    door: Door | None,
    *,
    names: Pseudonyms,
    now: datetime,
) -> str | None:
    """Return the person's code, and take one for them first if they have none.

    None: the pool is empty. The same person gets the same code for ever, also after an erasure: the
    pseudonyms that stay find it. Raises UnknownHolder, GaveUp.
    """
    person, is_empty = await _identify(session, holder, names), False
    for _ in range(MAX_TRIES):
        owned = await find(session, campaign_id, person)
        if owned is not None:
            return await _own(session, campaign_id, owned, person)
        if is_empty:
            return None
        try:
            async with session.begin_nested():
                code = await _take(session, campaign_id, person, door, now)
        except IntegrityError:
            continue
        if code is not None:
            return code
        # The last code may have become the person's own since the look.
        is_empty = not await _wait_for_others(session, campaign_id)
    raise GaveUp


async def find(
    session: AsyncSession, campaign_id: UUID, person: dict[str, Any]
) -> Row[str, str, str, str | None] | None:
    """Return the code of a person, with whom it names so far; None if they have none."""
    found = await session.execute(_FIND, {"campaign_id": campaign_id, **person})
    return found.first()


async def _identify(session: AsyncSession, holder: Holder, names: Pseudonyms) -> dict[str, Any]:
    known = (await session.execute(_IDENTIFY, holder._asdict())).one_or_none()
    if known is None:
        raise UnknownHolder
    unionid: str | None = known.unionid
    return {
        **holder._asdict(),
        "unionid": unionid,
        "erased_openid": names.of_openid(*holder),
        "erased_unionid": None if unionid is None else names.of_unionids([unionid])[unionid],
    }


async def _own(
    session: AsyncSession,
    campaign_id: UUID,
    owned: Row[str, str, str, str | None],
    person: dict[str, Any],
) -> str:
    """Write the person's own ids to their code if it has pseudonyms, or lacks the UnionID."""
    is_erased = owned.openid is None or owned.openid == person["erased_openid"]
    if is_erased or (owned.unionid != person["unionid"] and person["unionid"] is not None):
        try:
            async with session.begin_nested():
                await session.execute(
                    _OWN, {"campaign_id": campaign_id, "code": owned.code, **person}
                )
        except IntegrityError:  # another of their codes has them; merging decides
            pass
    code: str = owned.code
    return code


async def _take(
    session: AsyncSession,
    campaign_id: UUID,
    person: dict[str, Any],
    door: Door | None,
    now: datetime,
) -> str | None:
    code: str | None = await session.scalar(
        _TAKE,
        {
            "campaign_id": campaign_id,
            "now": now,
            "door_kind": None if door is None else door.kind,
            "door_id": None if door is None else door.id,
            **person,
        },
    )
    return code


async def _wait_for_others(session: AsyncSession, campaign_id: UUID) -> bool:
    """Wait for those who are taking the last codes; return whether there is anybody.

    They may give the person a code, by another of their OpenIDs, or fail and leave it in the pool.
    Each takes one code, and those who wait have taken none, so that nobody waits for them.
    """
    pool = {"campaign_id": campaign_id}
    if await session.scalar(_FREE, pool) is None:
        return False
    await session.execute(_WAIT, pool)
    return True


# The inbox changes this row with each push of the person, and then waits until the code is given.
_IDENTIFY: Final = text("""
SELECT unionid FROM openids WHERE appid = :appid AND openid = :openid FOR SHARE
""")

_FIND: Final = text("""
SELECT code, appid, openid, unionid FROM campaign_codes
WHERE campaign_id = :campaign_id AND void_at IS NULL
  AND (appid = :appid AND openid IN (:openid, :erased_openid)
       OR unionid IN (CAST(:unionid AS text), CAST(:erased_unionid AS text)))
ORDER BY redeemed_at NULLS LAST, given_at, code LIMIT 1
""")

_OWN: Final = text("""
UPDATE campaign_codes SET appid = :appid, openid = :openid, unionid = CAST(:unionid AS text)
WHERE campaign_id = :campaign_id AND code = :code
""")

# Codes that others take at this moment are passed over, so that nobody waits for anybody.
_TAKE: Final = text("""
UPDATE campaign_codes
SET given_at = :now, appid = :appid, openid = :openid, unionid = CAST(:unionid AS text),
    door_kind = CAST(:door_kind AS text), door_id = CAST(:door_id AS text)
WHERE campaign_id = :campaign_id AND code = (
    SELECT code FROM campaign_codes WHERE campaign_id = :campaign_id AND given_at IS NULL
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING code
""")

_FREE: Final = text("""
SELECT code FROM campaign_codes WHERE campaign_id = :campaign_id AND given_at IS NULL
ORDER BY number LIMIT 1
""")

# Goes on to the next code when the one that it has waited for is taken.
_WAIT: Final = text(f"{_FREE} FOR UPDATE")
