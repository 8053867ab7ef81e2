"""Erases people from invitations. Whom they invited, and that they came, stays in the figures."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.count_invited import count_before_erasure
from app.qrcodes.store import end_renewal
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.subject import ErasureSubject


async def erase(session: AsyncSession, person: ErasureSubject, secret: ErasureSecret) -> int:
    """Replace the OpenID of a person by the pseudonym; return in how many rows.

    By whom somebody came is the scene of their follow, which every erasure of contents clears. To
    be called before the history is, in the same transaction.
    """
    await count_before_erasure(session, person, secret)
    await session.flush()
    changed = 0
    for statement in (_INVITED, _INVITATIONS):
        changed += len((await session.execute(statement, person.parameters)).all())
    return changed


async def forget(session: AsyncSession, campaign_id: UUID, limit: int) -> int:
    """Let up to `limit` rows of each table name nobody any more; return how many did at most."""
    bound = {"campaign_id": campaign_id, "limit": limit}
    found = [await session.execute(statement, bound) for statement in _FORGET]
    return max(len(one.all()) for one in found)


async def delete_some(session: AsyncSession, campaign_id: UUID, limit: int) -> int:
    """Delete up to `limit` rows of each table of a campaign; return how many at most.

    Their codes end at WeChat by themselves.
    """
    bound = {"campaign_id": campaign_id, "limit": limit}
    came = len((await session.execute(_DELETE_INVITED, bound)).all())
    codes = list(await session.scalars(_DELETE_INVITATIONS, bound))
    await end_renewal(session, codes)
    return max(came, len(codes))


_INVITED: Final = text("""
UPDATE invited SET openid = :pseudonym
WHERE openid = :openid AND appid = :appid AND openid IS NOT NULL AND followed_at <= :until
RETURNING 1
""")
# One that another one of the campaign has already is left out; see `codes.erase`.
_INVITATIONS: Final = text("""
UPDATE invitations i SET openid = CASE WHEN EXISTS (
    SELECT FROM invitations o
    WHERE o.openid = :pseudonym AND o.appid = i.appid AND o.campaign_id = i.campaign_id
) THEN NULL ELSE CAST(:pseudonym AS text) END
WHERE i.openid = :openid AND i.appid = :appid AND i.openid IS NOT NULL AND i.created_at <= :until
RETURNING 1
""")
_FORGET: Final = (
    text("""
    UPDATE invited SET openid = NULL, person = NULL WHERE event_id IN (
        SELECT event_id FROM invited WHERE campaign_id = :campaign_id
          AND (openid IS NOT NULL OR person IS NOT NULL) LIMIT :limit
    ) RETURNING 1
    """),
    text("""
    UPDATE invitations SET openid = NULL, person = NULL WHERE qrcode_id IN (
        SELECT qrcode_id FROM invitations WHERE campaign_id = :campaign_id
          AND (openid IS NOT NULL OR person IS NOT NULL) LIMIT :limit
    ) RETURNING 1
    """),
)
_DELETE_INVITED: Final = text("""
DELETE FROM invited WHERE event_id IN (
    SELECT event_id FROM invited WHERE campaign_id = :campaign_id LIMIT :limit
) RETURNING 1
""")
_DELETE_INVITATIONS: Final = text("""
DELETE FROM invitations WHERE qrcode_id IN (
    SELECT qrcode_id FROM invitations WHERE campaign_id = :campaign_id LIMIT :limit
) RETURNING qrcode_id
""")
