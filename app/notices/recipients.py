"""SQL that finds the people of a request."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def openids_of(
    session: AsyncSession, appid: str, unionids: Sequence[str]
) -> Mapping[str, str]:
    """Return the OpenID at an account of each UnionID that has one: the one seen last.

    What only a report says is left out: at an Official Account only WeChat's own word ties an
    OpenID to a UnionID.
    """
    found = await session.execute(_OPENIDS, {"appid": appid, "unionids": list(unionids)})
    return {row.unionid: row.openid for row in found}


async def lock_known(session: AsyncSession, appid: str, openids: Sequence[str]) -> set[str]:
    """Return which of these OpenIDs are known, and keep an erasure of them waiting until the end.

    An OpenID that has been erased is not known.
    """
    found = await session.scalars(_KNOWN, {"appid": appid, "openids": sorted(set(openids))})
    return set(found)


_OPENIDS = text("""
SELECT DISTINCT ON (unionid) unionid, openid FROM openids
WHERE unionid = ANY(CAST(:unionids AS text[])) AND appid = :appid
  AND unionid_source IS DISTINCT FROM 'report'
ORDER BY unionid, last_seen_at DESC, openid
""")

# It blocks an erasure, which locks the whole row, and not the inbox.
_KNOWN = text("""
SELECT openid FROM openids WHERE appid = :appid AND openid = ANY(CAST(:openids AS text[]))
ORDER BY openid FOR KEY SHARE
""")
