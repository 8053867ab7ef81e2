"""Tombstones of UnionIDs that have been erased at every account."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.pseudonyms import Pseudonyms


async def erased_unionids(
    session: AsyncSession, names: Pseudonyms, unionids: Collection[str]
) -> dict[str, datetime]:
    """Return those of these UnionIDs that have been erased, and until when."""
    by_name = {name: unionid for unionid, name in names.of_unionids(unionids).items()}
    found = await session.execute(_ERASED, {"pseudonyms": list(by_name)})
    return {by_name[name]: until for name, until in found}


_ERASED = text(
    """
    SELECT pseudonym, until FROM erased_unionids
    WHERE pseudonym = ANY(CAST(:pseudonyms AS text[]))
    """
)
