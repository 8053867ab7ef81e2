"""Lets somebody who was back before their erasure was over be a stranger.

What they did since stays, and what was known of them before does not.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def reset_first_seen(session: AsyncSession, person: ErasureSubject) -> None:
    """Let them be seen for the first time since what is erased.

    Who was to go for their UnionID is asked about again.
    """
    await session.execute(_START_ANEW, person.parameters)
    await session.execute(_ASK_AGAIN, person.parameters)


async def forget_unionid(
    session: AsyncSession, person: ErasureSubject, *, now: datetime, asks: bool
) -> Mapping[str, int]:
    """Forget the UnionID, unless a login since told it; return the number of rows by table.

    After `reset_first_seen`. asks: whether WeChat can be asked for it anew; what they did since is
    keyed then.
    """
    parameters = person.parameters | {"now": now, "asks": asks}
    counts = {}
    await session.execute(_FORGET_LOGIN, parameters)
    for table, statement in _FORGETS.items():
        counts[table] = len((await session.execute(statement, parameters)).all())
    return counts


# The inbox belongs to a later step, which this one may not import.
_START_ANEW = text(
    """
    UPDATE openids SET first_seen_at = GREATEST(first_seen_at, COALESCE((
        SELECT min(occurred_at) FROM callbacks
        WHERE appid = :appid AND openid = :openid AND occurred_at > :until
    ), :until))
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

_UNKEY = """
    UPDATE {table} AS t SET unionid = o.unionid FROM openids o
    WHERE t.appid = :appid AND t.openid = :openid AND o.appid = :appid AND o.openid = :openid
      AND t.unionid IS DISTINCT FROM o.unionid
    RETURNING 1
"""

_FORGETS = {
    "openids": _FORGET_UNIONID,
    **{
        table: text(_UNKEY.format(table=table))
        for table in ("follow_events", "subscription_events", "followers", "consents")
    },
    "unionid_changes": text(
        "DELETE FROM unionid_changes WHERE appid = :appid AND openid = :openid RETURNING 1"
    ),
}
