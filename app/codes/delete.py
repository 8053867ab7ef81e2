"""Deletes a pool with its imports, in batches: it may hold millions of codes."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes.models import CodeImport

BATCH: Final = 10_000


async def delete_some(session: AsyncSession, campaign_id: UUID) -> int:
    """Delete the imports and up to BATCH codes of a campaign; return how many codes."""
    await session.execute(delete(CodeImport).where(CodeImport.campaign_id == campaign_id))
    found = await session.execute(_CODES, {"campaign_id": campaign_id, "limit": BATCH})
    return len(found.all())


_CODES: Final = text("""
DELETE FROM campaign_codes WHERE (campaign_id, code) IN (
    SELECT campaign_id, code FROM campaign_codes WHERE campaign_id = :campaign_id LIMIT :limit
)
RETURNING 1
""")
