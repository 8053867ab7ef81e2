"""Withholds UnionIDs of erased people from OpenIDs that turn out to have them.

A person may have OpenIDs that nobody knew to be theirs. A person who has been erased and then
follows or does something again, at any account, is known again with their UnionID at every account:
then nothing is withheld.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.activity import FIRST_ID, active_since
from app.identity.unionid_store import UnionIdResult
from app.tombstones.people import Tombstone, lock_shared
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.unionids import erased_unionids
from app.wechat.ids import AccountOpenId

ERASED = "erased"


async def erased_by_unionid(
    session: AsyncSession, secret: SecretStr | None, told: Mapping[AccountOpenId, str]
) -> dict[AccountOpenId, Tombstone]:
    """Return those OpenIDs whose UnionID has been erased, if they have done nothing since.

    To be called first in its transaction, as `erased_among` is. told: the UnionID of each OpenID.
    """
    await lock_shared(session)
    if not told or not await session.scalar(_ANYBODY):
        return {}
    erased = await erased_unionids(session, await pseudonyms(session, secret), set(told.values()))
    again = await _known_again(session, erased)
    people = {
        known: erased[unionid]
        for known, unionid in told.items()
        if unionid in erased and unionid not in again
    }
    acted = await active_since(
        session, [(*known, until, FIRST_ID) for known, until in people.items()]
    )
    return {
        known: Tombstone(until, identity_erased=True, by_unionid=True)
        for known, until in people.items()
        if known not in acted
    }


async def withhold_erased(
    session: AsyncSession, secret: SecretStr | None, answers: Sequence[UnionIdResult]
) -> list[UnionIdResult]:
    """Return the answers without UnionIDs that have been erased; such an OpenID has to go, too.

    To be called first in its transaction.
    """
    told = {(one.appid, one.openid): one.unionid for one in answers if one.unionid is not None}
    gone = await erased_by_unionid(session, secret, told)
    return [without_unionid(one, gone.get((one.appid, one.openid))) for one in answers]


def without_unionid(answer: UnionIdResult, gone: Tombstone | None) -> UnionIdResult:
    """Return the answer; of somebody who is gone by their UnionID, without it."""
    if gone is None or not gone.by_unionid:
        return answer
    return replace(answer, unionid=None, reason=ERASED, ask_again_at=None, erased_until=gone.until)


async def _known_again(session: AsyncSession, erased: Mapping[str, datetime]) -> set[str]:
    found = await session.execute(_HOLDERS, {"unionids": list(erased)})
    holders = {(appid, openid): unionid for appid, openid, unionid in found}
    acted = await active_since(
        session, [(*known, erased[unionid], FIRST_ID) for known, unionid in holders.items()]
    )
    return {holders[known] for known in acted}


_ANYBODY = text("SELECT EXISTS (SELECT FROM erased_unionids)")


_HOLDERS = text(
    "SELECT appid, openid, unionid FROM openids WHERE unionid = ANY(CAST(:unionids AS text[]))"
)
