"""SQL that looks for UnionIDs and OpenIDs in all rows that may hold them, pushes included.

It reads `callbacks`, a table of the package `callback`, which this package may not import. The API
and the command line need it, and they have no `Inbox` to pass.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId


async def unionids_in_rows_of(session: AsyncSession, people: Iterable[AccountOpenId]) -> set[str]:
    """Return every UnionID that these OpenIDs have or had; a former one may be somebody else's."""
    known = list(people)
    columns = {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }
    return set(await session.scalars(_UNIONIDS_IN_ROWS, columns))


async def is_mentioned(session: AsyncSession, unionid: str) -> bool:
    """Return whether an OpenID has or had the UnionID, or a push or an arrival names it."""
    return bool(await session.scalar(_MENTIONED, {"unionid": unionid}))


async def is_in_pushes(session: AsyncSession, appid: str, openid: str) -> bool:
    """Return whether a push is from the OpenID or names it, or an arrival is of it."""
    return bool(await session.scalar(_IN_PUSHES, {"appid": appid, "openid": openid}))


_JOIN_KEYS = """
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
"""

_UNIONIDS_IN_ROWS = text(
    f"""
    SELECT unionid FROM openids {_JOIN_KEYS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM follow_events {_JOIN_KEYS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM subscription_events {_JOIN_KEYS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM arrivals {_JOIN_KEYS} WHERE unionid IS NOT NULL
    UNION SELECT old_unionid FROM unionid_changes {_JOIN_KEYS}
    UNION SELECT new_unionid FROM unionid_changes {_JOIN_KEYS}
    """  # noqa: S608 - a constant of this module
)

_MENTIONED = text(
    """
    SELECT EXISTS (SELECT FROM openids WHERE unionid = :unionid)
        OR EXISTS (SELECT FROM unionid_changes WHERE old_unionid = :unionid)
        OR EXISTS (SELECT FROM unionid_changes WHERE new_unionid = :unionid)
        OR EXISTS (SELECT FROM follow_events WHERE unionid = :unionid)
        OR EXISTS (SELECT FROM subscription_events WHERE unionid = :unionid)
        OR EXISTS (SELECT FROM arrivals WHERE unionid = :unionid)
        OR EXISTS (
            SELECT FROM callbacks
            WHERE oa_bridge_named(msgtype, payload) && ARRAY[CAST(:unionid AS text)]
        )
    """
)


_IN_PUSHES = text(
    """
    SELECT EXISTS (SELECT FROM callbacks WHERE appid = :appid AND openid = :openid)
        OR EXISTS (SELECT FROM arrivals WHERE appid = :appid AND openid = :openid)
        OR EXISTS (
            SELECT FROM callbacks
            WHERE oa_bridge_named(msgtype, payload) && ARRAY[CAST(:openid AS text)]
        )
    """
)
