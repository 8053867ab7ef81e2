"""Erases what this package stores about a person: which rules have answered them."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.models import RuleFiring
from app.tombstones.subject import ErasureSubject


async def erase(session: AsyncSession, person: ErasureSubject) -> int:
    """Delete the cooldowns of one OpenID and return the number of rows.

    Call it in a transaction of its own: the inbox locks these rows before all others, so that
    locking them after others could deadlock.
    """
    erased = await session.scalars(
        delete(RuleFiring)
        .where(RuleFiring.appid == person.appid, RuleFiring.openid == person.openid)
        .returning(RuleFiring.rule_id)
    )
    return len(erased.all())
