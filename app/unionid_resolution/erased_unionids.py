"""Withholds the UnionID of an erased person from OpenIDs that WeChat or a report links to it.

An erasure covers only the OpenIDs that are linked to the UnionID at that time; others may be linked
later. If the person has followed or done something since the erasure, at any account, the UnionID
is known again at all accounts, and nothing is withheld.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.activity import FIRST_ID, active_since
from app.identity.unionid_store import UnionIdResult
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.people import Tombstone, lock_shared
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.unionids import erased_unionids
from app.wechat.ids import AccountOpenId

ERASED = "erased"


async def erased_by_unionid(
    session: AsyncSession, secret: ErasureSecret, unionids: Mapping[AccountOpenId, str]
) -> dict[AccountOpenId, Tombstone]:
    """Return the tombstones of those OpenIDs whose UnionID is erased and still inactive.

    Call it first in the transaction, like `erased_among`. unionids: the UnionID of each OpenID.
    """
    await lock_shared(session)
    if not unionids or not await session.scalar(_ANY):
        return {}
    names = await pseudonyms(session, secret)
    erased = await erased_unionids(session, names, set(unionids.values()))
    active_unionids = await _active_unionids(session, erased)
    people = {
        known: erased[unionid]
        for known, unionid in unionids.items()
        if unionid in erased and unionid not in active_unionids
    }
    active = await active_since(
        session, [(*known, until, FIRST_ID) for known, until in people.items()]
    )
    return {
        known: Tombstone(until, identity_erased=True, by_unionid=True)
        for known, until in people.items()
        if known not in active
    }


async def withhold_erased(
    session: AsyncSession, secret: ErasureSecret, results: Sequence[UnionIdResult]
) -> list[UnionIdResult]:
    """Return the results without the UnionIDs that have been erased.

    The reason of such a result is `erased`, and `privacy` will erase its OpenID. Call this first in
    the transaction.
    """
    unionids = {(one.appid, one.openid): one.unionid for one in results if one.unionid is not None}
    tombstones = await erased_by_unionid(session, secret, unionids)
    return [without_unionid(one, tombstones.get((one.appid, one.openid))) for one in results]


def without_unionid(result: UnionIdResult, tombstone: Tombstone | None) -> UnionIdResult:
    """Return the result; without its UnionID if the tombstone is that of the UnionID."""
    if tombstone is None or not tombstone.by_unionid:
        return result
    return replace(
        result,
        unionid=None,
        reason=ERASED,
        ask_again_at=None,
        erased_until=tombstone.until,
    )


async def _active_unionids(session: AsyncSession, erased: Mapping[str, datetime]) -> set[str]:
    """Return those UnionIDs of which any OpenID has been active since the erasure."""
    found = await session.execute(_HOLDERS, {"unionids": list(erased)})
    holders = {(appid, openid): unionid for appid, openid, unionid in found}
    active = await active_since(
        session, [(*known, erased[unionid], FIRST_ID) for known, unionid in holders.items()]
    )
    return {holders[known] for known in active}


_ANY = text("SELECT EXISTS (SELECT FROM erased_unionids)")


_HOLDERS = text(
    "SELECT appid, openid, unionid FROM openids WHERE unionid = ANY(CAST(:unionids AS text[]))"
)
