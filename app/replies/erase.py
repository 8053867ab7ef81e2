"""Erases the contents of a person's replies and the person's send windows."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear the contents of up to `limit` replies and skip queued ones; return how many."""
    return await _execute(session, _CONTENTS, person, limit)


async def erase_identity(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Do the same as `erase_contents`, and replace the OpenID by the pseudonym."""
    return await _execute(session, _IDENTITY, person, limit)


async def erase_windows(session: AsyncSession, person: ErasureSubject) -> int:
    """Delete the person's send windows; return how many."""
    return len((await session.execute(_WINDOWS, person.parameters)).all())


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Clear contents and attempts of up to `limit` final replies from before; return how many.

    Locked rows are left for the next run.
    """
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


async def _execute(
    session: AsyncSession, statement: TextClause, person: ErasureSubject, limit: int
) -> int:
    found = await session.execute(statement, person.parameters | {"limit": limit})
    return len(found.all())


# A reply that is being sent keeps its status: its job has a copy in memory and will set it.
_CLEARED = """
    content = '{}', errmsg = NULL, rid = NULL,
    expires_at = CASE WHEN status IN ('pending', 'held', 'skipped') THEN NULL ELSE expires_at END,
    status = CASE WHEN status IN ('pending', 'held') THEN 'skipped' ELSE status END
"""

# Replies to pushes from after the erased period stay.
_ERASED_PERIOD = """
    SELECT r.id FROM replies r
    WHERE r.appid = :appid AND r.openid = :openid
      AND NOT EXISTS (SELECT FROM callbacks c WHERE c.id = r.callback_id AND c.occurred_at > :until)
"""
_LOCKED_LIMIT = "LIMIT :limit FOR UPDATE OF r"

# What WeChat said of each attempt goes with what it said of the last one.
_WITH_ATTEMPTS = """
), attempts AS (
    UPDATE reply_attempts SET errmsg = NULL, rid = NULL
    WHERE reply_id IN (SELECT id FROM cleared)
) SELECT 1 FROM cleared
"""

_CONTENTS = text(
    f"""
    WITH cleared AS (
    UPDATE replies SET {_CLEARED}
    WHERE id = ANY(ARRAY(
        {_ERASED_PERIOD} AND (r.content <> '{{}}' OR r.errmsg IS NOT NULL) {_LOCKED_LIMIT}
    ))
    RETURNING id
    {_WITH_ATTEMPTS}
    """  # noqa: S608 - constants of this module
)

_IDENTITY = text(
    f"""
    WITH cleared AS (
    UPDATE replies SET openid = :pseudonym, {_CLEARED}
    WHERE id = ANY(ARRAY({_ERASED_PERIOD} {_LOCKED_LIMIT}))
    RETURNING id
    {_WITH_ATTEMPTS}
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
    WITH cleared AS (
        UPDATE replies SET content = '{}'
        WHERE id = ANY(ARRAY(
            SELECT id FROM replies
            WHERE content <> '{}' AND created_at < :before
              AND status NOT IN ('pending', 'sending', 'held')
            ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ))
        RETURNING id
    ), attempts AS (
        DELETE FROM reply_attempts WHERE reply_id IN (SELECT id FROM cleared)
    )
    SELECT 1 FROM cleared
    """
)
