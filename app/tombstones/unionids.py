"""Tombstones of UnionIDs whose people were erased at all accounts."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.models import ErasedUnionId
from app.tombstones.pseudonyms import Pseudonyms


async def erased_unionids(
    session: AsyncSession, names: Pseudonyms, unionids: Collection[str]
) -> dict[str, datetime]:
    """Return until when each erased one of these UnionIDs is erased; the others are left out."""
    by_name = {name: unionid for unionid, name in names.of_unionids(unionids).items()}
    found = await session.execute(_ERASED, {"pseudonyms": list(by_name)})
    return {by_name[name]: until for name, until in found}


async def write_unionid_tombstones(
    session: AsyncSession, unionid_pseudonyms: Iterable[str], until: datetime
) -> None:
    """Write the tombstones of UnionIDs; an existing one with a later `until` stays.

    They are for OpenIDs that WeChat links to these UnionIDs later.
    """
    for pseudonym in unionid_pseudonyms:
        new = insert(ErasedUnionId).values(pseudonym=pseudonym, until=until)
        await session.execute(
            new.on_conflict_do_update(
                index_elements=[ErasedUnionId.pseudonym],
                set_={"until": func.greatest(ErasedUnionId.until, new.excluded.until)},
            )
        )


_ERASED = text(
    """
    SELECT pseudonym, until FROM erased_unionids
    WHERE pseudonym = ANY(CAST(:pseudonyms AS text[]))
    """
)
