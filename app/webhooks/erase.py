"""Erases the identity events of a person. Deliveries hold no personal data."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.webhooks.models import IdentityEvent


async def erase(session: AsyncSession, appid: str, openid: str) -> int:
    """Delete the identity events of one OpenID; return how many."""
    erased = await session.scalars(
        delete(IdentityEvent)
        .where(IdentityEvent.appid == appid, IdentityEvent.openid == openid)
        .returning(IdentityEvent.id)
    )
    return len(erased.all())
