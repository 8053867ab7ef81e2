"""SQL that adds OpenIDs which a synchronisation or a login report names, and locks those it knows.

Rows are added and locked in order of their keys, as the inbox does it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId


@dataclass(frozen=True, slots=True)
class ListedOpenId:
    """A person as a synchronisation found them. seen_at: when they followed, if it is known.

    erased_until: what was so by then is erased.
    """

    openid: str
    unionid: str | None
    seen_at: datetime
    erased_until: datetime | None


@dataclass(frozen=True, slots=True)
class ReportedOpenId:
    """A person as a login report names them. erased_until: what was so by then is erased."""

    appid: str
    openid: str
    logged_in_at: datetime | None
    erased_until: datetime | None


async def add_listed(
    session: AsyncSession, appid: str, people: Sequence[ListedOpenId], *, ask_again_at: datetime
) -> set[str]:
    """Add OpenIDs with what is known of them, lock those that are there; return the added ones.

    ask_again_at: when to ask for a UnionID that is not known.
    """
    added = await session.scalars(
        _ADD_LISTED,
        {
            "appid": appid,
            "openids": [one.openid for one in people],
            "unionids": [one.unionid for one in people],
            "times": [one.seen_at for one in people],
            "untils": [one.erased_until for one in people],
            "next": ask_again_at,
        },
    )
    return set(added)


async def add_reported(
    session: AsyncSession, people: Sequence[ReportedOpenId], now: datetime
) -> set[AccountOpenId]:
    """Add OpenIDs, lock those that are there and note the login; return the added ones."""
    found = await session.execute(
        _ADD_REPORTED,
        {
            "appids": [one.appid for one in people],
            "openids": [one.openid for one in people],
            "logins": [one.logged_in_at for one in people],
            "untils": [one.erased_until for one in people],
            "now": now,
        },
    )
    return {(appid, openid) for appid, openid, is_new in found if is_new}


async def known_among(
    session: AsyncSession, people: Collection[AccountOpenId]
) -> set[AccountOpenId]:
    """Return those of these OpenIDs that are known."""
    if not people:
        return set()
    return {(appid, openid) for appid, openid in await session.execute(_KNOWN, _columns(people))}


async def delete(session: AsyncSession, people: Collection[AccountOpenId]) -> None:
    """Delete OpenIDs."""
    if people:
        await session.execute(_DELETE, _columns(people))


def _columns(people: Collection[AccountOpenId]) -> dict[str, list[str]]:
    known = sorted(people)
    return {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }


# ON CONFLICT DO UPDATE WHERE false: locks the row that is there, leaves it as it is, and does not
# return it.
_ADD_LISTED = text(
    """
    INSERT INTO openids AS o (appid, openid, unionid, first_seen_at, last_seen_at,
                              resolve_state, resolve_reason, resolve_next_at, erased_until)
    SELECT :appid, openid, unionid, at, at,
           CASE WHEN unionid IS NULL THEN 'pending' ELSE 'resolved' END,
           CASE WHEN unionid IS NULL THEN 'not_bound' END,
           CASE WHEN unionid IS NULL THEN CAST(:next AS timestamptz) END, erased_until
    FROM unnest(CAST(:openids AS text[]), CAST(:unionids AS text[]),
                CAST(:times AS timestamptz[]), CAST(:untils AS timestamptz[]))
         AS t(openid, unionid, at, erased_until)
    ORDER BY openid
    ON CONFLICT (appid, openid) DO UPDATE SET openid = o.openid WHERE false
    RETURNING openid
    """
)

# A login that lies ahead would be an act after whatever is erased until it has come.
_ADD_REPORTED = text(
    """
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at, logged_in_at,
                              erased_until)
    SELECT appid, openid, :now, :now, LEAST(login, :now), until
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:logins AS timestamptz[]),
                CAST(:untils AS timestamptz[])) AS t(appid, openid, login, until)
    ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at),
        logged_in_at = GREATEST(o.logged_in_at, EXCLUDED.logged_in_at)
    RETURNING appid, openid, o.xmax = 0 AS new
    """
)

_KNOWN = text(
    """
    SELECT appid, openid FROM openids
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
    """
)

_DELETE = text(
    """
    DELETE FROM openids USING unnest(CAST(:appids AS text[]), CAST(:openids AS text[]))
                              AS p(appid, openid)
    WHERE openids.appid = p.appid AND openids.openid = p.openid
    """
)
