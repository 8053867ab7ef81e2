"""Erases people from codes. A code stays, given and perhaps redeemed, for the figures.

It keeps the pseudonyms: somebody who unfollows, is erased and comes back has had their code.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def erase_identity(session: AsyncSession, person: ErasureSubject) -> int:
    """Replace the ids of a person by their pseudonyms; return in how many codes."""
    return len((await session.execute(_IDENTITY, person.parameters)).all())


async def forget_unionids(session: AsyncSession, unionids: Sequence[str]) -> int:
    """Take UnionIDs out of codes of other OpenIDs; return out of how many."""
    return len((await session.execute(_UNIONIDS, {"unionids": list(unionids)})).all())


async def forget_holders(session: AsyncSession, campaign_id: UUID, limit: int) -> int:
    """Let up to `limit` codes of a campaign name nobody any more; return how many did."""
    found = await session.execute(_HOLDERS, {"campaign_id": campaign_id, "limit": limit})
    return len(found.all())


# A pseudonym that another code of the pool has already is left out: a new ERASURE_HMAC_SECRET or a
# report that was corrected may have led there, and an erasure must not fail for it.
_IDENTITY: Final = text("""
UPDATE campaign_codes c SET
    openid = CASE WHEN EXISTS (
        SELECT FROM campaign_codes o
        WHERE o.openid = :pseudonym AND o.appid = c.appid AND o.campaign_id = c.campaign_id
          AND o.void_at IS NULL
    ) THEN NULL ELSE CAST(:pseudonym AS text) END,
    unionid = (
        SELECT n.pseudonym FROM unnest(
            CAST(:unionids AS text[]), CAST(:unionid_pseudonyms AS text[])
        ) AS n (unionid, pseudonym)
        WHERE n.unionid = c.unionid AND NOT EXISTS (
            SELECT FROM campaign_codes o
            WHERE o.unionid = n.pseudonym AND o.campaign_id = c.campaign_id
              AND o.void_at IS NULL
        )
    )
WHERE c.openid = :openid AND c.appid = :appid AND c.openid IS NOT NULL AND c.void_at IS NULL
  AND c.given_at <= :until
RETURNING 1
""")

_UNIONIDS: Final = text("""
UPDATE campaign_codes SET unionid = NULL
WHERE unionid = ANY(CAST(:unionids AS text[])) AND unionid IS NOT NULL AND void_at IS NULL
RETURNING 1
""")

_HOLDERS: Final = text("""
UPDATE campaign_codes SET appid = NULL, openid = NULL, unionid = NULL, redemption_key = NULL
WHERE (campaign_id, code) IN (
    SELECT campaign_id, code FROM campaign_codes
    WHERE campaign_id = :campaign_id AND given_at IS NOT NULL
      AND (openid IS NOT NULL OR unionid IS NOT NULL OR redemption_key IS NOT NULL)
    LIMIT :limit FOR UPDATE SKIP LOCKED
)
RETURNING 1
""")
