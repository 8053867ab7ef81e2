"""Resets a person who became active again while being erased: new data stays, older data goes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def reset_first_seen(
    session: AsyncSession, person: ErasureSubject, first_push: datetime | None
) -> None:
    """Move `first_seen_at` behind the erased time, so that nothing of the earlier time is left.

    first_push: CreateTime of the person's first push after the erased time, if there is one. An
    OpenID that was to be erased because of its UnionID becomes pending again.
    """
    await session.execute(_RESET_FIRST_SEEN, person.parameters | {"first_push": first_push})
    await session.execute(_ASK_AGAIN, person.parameters)


async def forget_unionid(
    session: AsyncSession, person: ErasureSubject, *, now: datetime, asks: bool
) -> Mapping[str, int]:
    """Set the UnionID to NULL unless a login after the erased time reported it.

    asks: whether WeChat can be asked for it again (only for an Official Account). Order of calls:
    `reset_first_seen`, this, `events.unionid_store.copy_unionid`, `forget_changes`. Returns the
    number of rows by table.
    """
    await session.execute(_FORGET_LOGIN, person.parameters)
    forgotten = await session.execute(
        _FORGET_UNIONID, person.parameters | {"now": now, "asks": asks}
    )
    return {"openids": len(forgotten.all())}


async def detach(
    session: AsyncSession, person: ErasureSubject, *, now: datetime
) -> Mapping[str, int]:
    """Set the UnionID to NULL, and have WeChat asked for it; return the number of rows by table."""
    detached = await session.execute(_DETACH, person.parameters | {"now": now})
    return {"openids": len(detached.all())}


async def forget_changes(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Delete the UnionID changes of an OpenID; return the number of rows by table."""
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

# The same state as that of a new OpenID which the inbox adds.
_FORGET_UNIONID = text(
    """
    UPDATE openids SET
        unionid = NULL, unionid_source = NULL, resolve_attempts = 0,
        resolve_state = CASE WHEN :asks THEN 'pending' ELSE 'unavailable' END,
        resolve_reason = CASE WHEN :asks THEN NULL ELSE 'not_an_oa' END,
        resolve_next_at = CASE WHEN :asks THEN CAST(:now AS timestamptz) END
    WHERE appid = :appid AND openid = :openid AND unionid IS NOT NULL AND logged_in_at IS NULL
    RETURNING 1
    """
)

_DETACH = text(
    """
    UPDATE openids SET
        unionid = NULL, unionid_source = NULL, resolve_attempts = 0,
        resolve_state = 'pending', resolve_reason = NULL, resolve_next_at = :now
    WHERE appid = :appid AND openid = :openid
    RETURNING 1
    """
)

_FORGET_CHANGES = text(
    "DELETE FROM unionid_changes WHERE appid = :appid AND openid = :openid RETURNING 1"
)
