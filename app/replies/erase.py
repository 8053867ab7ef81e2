"""Removes what was said to a person, and what may still be."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear the contents of up to `limit` replies, end the queued ones; return how many."""
    return await _count(session, _CONTENTS, person, limit)


async def erase_identity(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """The same, and put a pseudonym in the place of the OpenID."""
    return await _count(session, _IDENTITY, person, limit)


async def erase_windows(session: AsyncSession, person: ErasureSubject) -> int:
    """Close and forget the send windows; return how many there were."""
    return len((await session.execute(_WINDOWS, person.parameters)).all())


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Clear up to `limit` contents from before then; return how many.

    Locked rows are left to the next time.
    """
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


async def _count(
    session: AsyncSession, statement: TextClause, person: ErasureSubject, limit: int
) -> int:
    found = await session.execute(statement, person.parameters | {"limit": limit})
    return len(found.all())


# One that is being sent is left to its job, which has its own copy of it.
_CLEARED = """
    content = '{}', errmsg = NULL,
    expires_at = CASE WHEN status IN ('pending', 'held', 'skipped') THEN NULL ELSE expires_at END,
    status = CASE WHEN status IN ('pending', 'held') THEN 'skipped' ELSE status END
"""

# A reply of a push that came after what is erased stays.
_OLD = """
    SELECT r.id FROM replies r
    WHERE r.appid = :appid AND r.openid = :openid
      AND NOT EXISTS (SELECT FROM callbacks c WHERE c.id = r.callback_id AND c.occurred_at > :until)
"""
_CHOSEN = "LIMIT :limit FOR UPDATE OF r"

_CONTENTS = text(
    f"""
    UPDATE replies SET {_CLEARED}
    WHERE id = ANY(ARRAY(
        {_OLD} AND (r.content <> '{{}}' OR r.errmsg IS NOT NULL) {_CHOSEN}
    ))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_IDENTITY = text(
    f"""
    UPDATE replies SET openid = :pseudonym, {_CLEARED}
    WHERE id = ANY(ARRAY({_OLD} {_CHOSEN}))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_WINDOWS = text(
    """
    DELETE FROM send_windows
    WHERE appid = :appid AND openid = :openid AND opened_at <= :until
    RETURNING 1
    """
)

_OLDER = text(
    """
    UPDATE replies SET content = '{}'
    WHERE id = ANY(ARRAY(
        SELECT id FROM replies
        WHERE content <> '{}' AND created_at < :before
          AND status NOT IN ('pending', 'sending', 'held')
        ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)
