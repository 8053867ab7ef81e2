"""SQL that looks for UnionIDs and OpenIDs in all rows that may hold them, in pushes as well.

It reads `callbacks`, a table of the inbox, which this room may not import: the API and the command
line ask it, and have no inbox to hand in.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId


async def unionids_in_rows_of(session: AsyncSession, people: Iterable[AccountOpenId]) -> set[str]:
    """Return every UnionID that these OpenIDs have, or had: perhaps one of somebody else."""
    known = list(people)
    columns = {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }
    return set(await session.scalars(_UNIONIDS_IN_ROWS, columns))


async def is_mentioned(session: AsyncSession, unionid: str) -> bool:
    """Tell whether anybody has a UnionID, is on record as having had it, or a push names it."""
    return bool(await session.scalar(_MENTIONED, {"unionid": unionid}))


async def is_in_pushes(session: AsyncSession, appid: str, openid: str) -> bool:
    """Tell whether a push is from an OpenID, or names it, that may be unknown otherwise."""
    return bool(await session.scalar(_IN_PUSHES, {"appid": appid, "openid": openid}))


_THEIRS = """
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
"""

_UNIONIDS_IN_ROWS = text(
    f"""
    SELECT unionid FROM openids {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM follow_events {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM subscription_events {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT old_unionid FROM unionid_changes {_THEIRS}
    UNION SELECT new_unionid FROM unionid_changes {_THEIRS}
    """  # noqa: S608 - a constant of this module
)

_MENTIONED = text(
    """
    SELECT EXISTS (SELECT FROM openids WHERE unionid = :unionid)
        OR EXISTS (SELECT FROM unionid_changes WHERE old_unionid = :unionid)
        OR EXISTS (SELECT FROM unionid_changes WHERE new_unionid = :unionid)
        OR EXISTS (SELECT FROM follow_events WHERE unionid = :unionid)
        OR EXISTS (SELECT FROM subscription_events WHERE unionid = :unionid)
        OR EXISTS (
            SELECT FROM callbacks
            WHERE oa_bridge_named(msgtype, payload) && ARRAY[CAST(:unionid AS text)]
        )
    """
)


_IN_PUSHES = text(
    """
    SELECT EXISTS (SELECT FROM callbacks WHERE appid = :appid AND openid = :openid)
        OR EXISTS (
            SELECT FROM callbacks
            WHERE oa_bridge_named(msgtype, payload) && ARRAY[CAST(:openid AS text)]
        )
    """
)
