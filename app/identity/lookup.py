"""SQL that looks up OpenIDs, UnionIDs and the times when people were seen."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId


async def people_known(session: AsyncSession, people: Iterable[AccountOpenId]) -> bool:
    """Return whether any of these OpenIDs is known."""
    return await session.scalar(_ANY, _columns(people)) is not None


async def first_seen(session: AsyncSession, known: AccountOpenId) -> datetime | None:
    """Return when an OpenID was first seen; None when it is unknown."""
    appid, openid = known
    seen: datetime | None = await session.scalar(_FIRST_SEEN, {"appid": appid, "openid": openid})
    return seen


async def last_seen(session: AsyncSession, people: Iterable[AccountOpenId]) -> datetime | None:
    """Return the latest time when any of these OpenIDs was seen; None when all are unknown."""
    seen: datetime | None = await session.scalar(_LAST_SEEN, _columns(people))
    return seen


async def unionids_of(session: AsyncSession, people: Iterable[AccountOpenId]) -> set[str]:
    """Return the UnionIDs that these OpenIDs have now."""
    return set(await session.scalars(_UNIONIDS, _columns(people)))


async def people_of(session: AsyncSession, unionids: Iterable[str]) -> set[AccountOpenId]:
    """Return the OpenIDs of all accounts that have one of these UnionIDs now."""
    found = await session.execute(_PEOPLE, {"unionids": list(unionids)})
    return {(appid, openid) for appid, openid in found}


def _columns(people: Iterable[AccountOpenId]) -> dict[str, list[str]]:
    known = list(people)
    return {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }


_JOIN_KEYS = """
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
"""


_FIRST_SEEN = text("SELECT first_seen_at FROM openids WHERE appid = :appid AND openid = :openid")


_LAST_SEEN = text(f"SELECT max(last_seen_at) FROM openids {_JOIN_KEYS}")  # noqa: S608 - a constant


_ANY = text(f"SELECT 1 FROM openids {_JOIN_KEYS} LIMIT 1")  # noqa: S608 - a constant


_UNIONIDS = text(
    f"SELECT DISTINCT unionid FROM openids {_JOIN_KEYS} WHERE unionid IS NOT NULL"  # noqa: S608 - a constant
)


_PEOPLE = text("SELECT appid, openid FROM openids WHERE unionid = ANY(CAST(:unionids AS text[]))")
