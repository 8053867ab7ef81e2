"""SQL that looks up OpenIDs, UnionIDs and the times when people were seen."""

from collections.abc import Collection, Iterable
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


async def unionids_of(
    session: AsyncSession, people: Iterable[AccountOpenId], asked: Collection[str]
) -> set[str]:
    """Return the UnionIDs that these OpenIDs have now.

    Those of OpenIDs as in `unverified_people_of` are left out.
    """
    return set(await session.scalars(_UNIONIDS, _columns(people) | {"asked": list(asked)}))


async def people_of(
    session: AsyncSession, unionids: Iterable[str], asked: Collection[str]
) -> set[AccountOpenId]:
    """Return the OpenIDs of all accounts that have one of these UnionIDs now.

    Those of `unverified_people_of` are left out.
    """
    found = await session.execute(_PEOPLE, {"unionids": list(unionids), "asked": list(asked)})
    return {(appid, openid) for appid, openid in found}


async def unverified_people_of(
    session: AsyncSession, unionids: Iterable[str], asked: Collection[str]
) -> set[AccountOpenId]:
    """Return the OpenIDs which only a report ties to these UnionIDs, though WeChat can be asked.

    asked: AppIDs of the accounts where WeChat can be asked. There a report speaks for somebody
    else's account. At other accounts a report is the only word that there is, and it counts.
    """
    found = await session.execute(_UNVERIFIED, {"unionids": list(unionids), "asked": list(asked)})
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


# A source that is not known (NULL) counts as WeChat: such rows are older than the column.
_IS_UNVERIFIED = (
    "unionid_source IS NOT DISTINCT FROM 'report' AND appid = ANY(CAST(:asked AS text[]))"
)


_FIRST_SEEN = text("SELECT first_seen_at FROM openids WHERE appid = :appid AND openid = :openid")


_LAST_SEEN = text(f"SELECT max(last_seen_at) FROM openids {_JOIN_KEYS}")  # noqa: S608 - a constant


_ANY = text(f"SELECT 1 FROM openids {_JOIN_KEYS} LIMIT 1")  # noqa: S608 - a constant


_UNIONIDS = text(
    f"""
    SELECT DISTINCT unionid FROM openids {_JOIN_KEYS}
    WHERE unionid IS NOT NULL AND NOT ({_IS_UNVERIFIED})
    """  # noqa: S608 - a constant
)


_PEOPLE = text(
    f"""
    SELECT appid, openid FROM openids
    WHERE unionid = ANY(CAST(:unionids AS text[])) AND NOT ({_IS_UNVERIFIED})
    """  # noqa: S608 - a constant
)


_UNVERIFIED = text(
    f"""
    SELECT appid, openid FROM openids
    WHERE unionid = ANY(CAST(:unionids AS text[])) AND {_IS_UNVERIFIED}
    """  # noqa: S608 - a constant
)
