"""Redeems codes: each once, however often the same caller repeats it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.codes.errors import NotGiven, RedeemedBefore, UnknownCode, VoidCode
from app.codes.models import CampaignCode


async def redeem(
    session: AsyncSession, campaign_id: UUID, code: str, key: str, at: datetime
) -> CampaignCode:
    """Redeem a code, and return it. key: of the caller; the same one redeems it once.

    Raises UnknownCode, NotGiven, VoidCode, RedeemedBefore.
    """
    # The lock lets a second caller, and a merge of two people, wait for this decision.
    found = await session.get(
        CampaignCode, (campaign_id, code), with_for_update=True, populate_existing=True
    )
    if found is None:
        raise UnknownCode
    if found.redeemed_at is not None:
        if found.redemption_key != key:
            raise RedeemedBefore(found.redeemed_at)
        return found
    if found.void_at is not None:
        raise VoidCode
    if found.given_at is None:
        raise NotGiven
    found.redeemed_at, found.redemption_key = at, key
    await session.flush()
    return found
