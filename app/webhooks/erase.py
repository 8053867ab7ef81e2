"""Removes what this room knows of a person. Its deliveries hold no personal data."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.webhooks.models import IdentityEvent


async def erase(session: AsyncSession, appid: str, openid: str) -> int:
    """Delete the history of one OpenID's UnionIDs; return the number of rows."""
    erased = await session.scalars(
        delete(IdentityEvent)
        .where(IdentityEvent.appid == appid, IdentityEvent.openid == openid)
        .returning(IdentityEvent.id)
    )
    return len(erased.all())
