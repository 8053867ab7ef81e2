"""Resets a person who became active again while being erased.

What they did since stays, and what was known of them before does not.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def reset_first_seen(
    session: AsyncSession, person: ErasureSubject, first_push: datetime | None
) -> None:
    """Let the first time they were seen be after what is erased.

    first_push: of those after that, by CreateTime. A person who was to be erased for their UnionID
    is asked about again.
    """
    await session.execute(_RESET_FIRST_SEEN, person.parameters | {"first_push": first_push})
    await session.execute(_ASK_AGAIN, person.parameters)


async def forget_unionid(
    session: AsyncSession, person: ErasureSubject, *, now: datetime, asks: bool
) -> Mapping[str, int]:
    """Forget the UnionID, unless a login since told it; return the number of rows by table.

    After `reset_first_seen`. asks: whether WeChat can be asked for it again. The caller has
    `events.unionid_store.copy_unionid` follow, and then `forget_changes`.
    """
    await session.execute(_FORGET_LOGIN, person.parameters)
    forgotten = await session.execute(
        _FORGET_UNIONID, person.parameters | {"now": now, "asks": asks}
    )
    return {"openids": len(forgotten.all())}


async def forget_changes(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Delete the earlier UnionIDs of an OpenID; return the number of rows by table."""
    deleted = await session.execute(_FORGET_CHANGES, person.parameters)
    return {"unionid_changes": len(deleted.all())}


_RESET_FIRST_SEEN = text(
    """
    UPDATE openids SET first_seen_at = GREATEST(
        first_seen_at, COALESCE(CAST(:first_push AS timestamptz), :until)
    )
    WHERE appid = :appid AND openid = :openid
    """
)

_ASK_AGAIN = text(
    """
    UPDATE openids SET resolve_state = 'pending', resolve_reason = NULL, resolve_next_at = :until
    WHERE appid = :appid AND openid = :openid AND resolve_reason = 'erased'
    """
)

_FORGET_LOGIN = text(
    """
    UPDATE openids SET logged_in_at = NULL
    WHERE appid = :appid AND openid = :openid AND logged_in_at <= :until
    """
)

# As the inbox adds somebody who is new.
_FORGET_UNIONID = text(
    """
    UPDATE openids SET
        unionid = NULL, resolve_attempts = 0,
        resolve_state = CASE WHEN :asks THEN 'pending' ELSE 'unavailable' END,
        resolve_reason = CASE WHEN :asks THEN NULL ELSE 'not_an_oa' END,
        resolve_next_at = CASE WHEN :asks THEN CAST(:now AS timestamptz) END
    WHERE appid = :appid AND openid = :openid AND unionid IS NOT NULL AND logged_in_at IS NULL
    RETURNING 1
    """
)

_FORGET_CHANGES = text(
    "DELETE FROM unionid_changes WHERE appid = :appid AND openid = :openid RETURNING 1"
)
