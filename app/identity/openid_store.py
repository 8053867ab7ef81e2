"""SQL that adds the OpenIDs of a sync or a login report, and locks those that already exist."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.ids import AccountOpenId


@dataclass(frozen=True, slots=True)
class ListedOpenId:
    """A follower that a sync adds.

    seen_at: when the person followed, or the time of the sync if that is unknown. erased_until:
    contents up to then are erased; None if nothing is.
    """

    openid: str
    unionid: str | None
    seen_at: datetime
    erased_until: datetime | None


@dataclass(frozen=True, slots=True)
class ReportedOpenId:
    """A person that a login report names. erased_until: contents up to then are erased."""

    appid: str
    openid: str
    logged_in_at: datetime | None
    erased_until: datetime | None


async def add_listed(
    session: AsyncSession, appid: str, people: Sequence[ListedOpenId], *, ask_again_at: datetime
) -> set[str]:
    """Add OpenIDs that are new, and lock those that exist; return the added ones.

    ask_again_at: when to ask WeChat for a UnionID that is None.
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
    """Add OpenIDs that are new; lock those that exist and note the login. Return the added ones."""
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
    """Return those of these OpenIDs that exist."""
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


# ON CONFLICT DO UPDATE WHERE false locks an existing row without changing or returning it. Rows are
# added and locked in the order of their keys, as the inbox does it: this avoids deadlocks.
_ADD_LISTED = text(
    """
    INSERT INTO openids AS o (appid, openid, unionid, unionid_source, first_seen_at, last_seen_at,
                              resolve_state, resolve_reason, resolve_next_at, erased_until)
    SELECT :appid, openid, unionid, CASE WHEN unionid IS NOT NULL THEN 'user_info' END, at, at,
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

# The login is at most `now`: a time in the future would count as activity after any erasure. LEAST
# ignores NULL, and a report without a login must not count as a login now.
_ADD_REPORTED = text(
    """
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at, logged_in_at,
                              erased_until)
    SELECT appid, openid, :now, :now,
           CASE WHEN login IS NOT NULL THEN LEAST(login, :now) END, until
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
