"""Removes what this room knows of a person, and remembers how far they are erased."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.erasing import Person

Known = tuple[str, str]


async def lock(session: AsyncSession, person: Person) -> bool:
    """Lock the OpenID against the inbox until the transaction ends; tell whether it is known."""
    found = await session.scalar(_LOCK, person.parameters)
    return found is not None


async def mark(session: AsyncSession, person: Person) -> None:
    """Remember on a row that stays how far its contents are erased."""
    await session.execute(_MARK, person.parameters)


async def mark_class(session: AsyncSession, person: Person, scope: str) -> None:
    """Remember the same of one class of data."""
    seconds = int(person.until.timestamp())
    await session.execute(_MARK_CLASS, person.parameters | {"scope": scope, "seconds": seconds})


async def erase(session: AsyncSession, person: Person) -> Mapping[str, int]:
    """Delete the OpenID and the changes of its UnionID; return the number of rows by table."""
    counts = {}
    for table, statement in _DELETES.items():
        counts[table] = len((await session.execute(statement, person.parameters)).all())
    return counts


async def erased_until(session: AsyncSession, appid: str, openid: str) -> datetime | None:
    """Return how far the contents of an OpenID that is still known are erased."""
    until: datetime | None = await session.scalar(_UNTIL, {"appid": appid, "openid": openid})
    return until


async def classes_erased_until(
    session: AsyncSession, appid: str, openid: str
) -> Mapping[str, datetime]:
    """Return how far classes of data of an OpenID that is still known are erased."""
    revoked = await session.scalar(_CLASSES, {"appid": appid, "openid": openid})
    return {
        scope: datetime.fromtimestamp(seconds, UTC) for scope, seconds in (revoked or {}).items()
    }


async def forget_unionids(session: AsyncSession, unionids: Iterable[str]) -> Mapping[str, int]:
    """Take UnionIDs out of the rows of those who do not have them now; return rows by table.

    Such a row was keyed by mistake, or from before a change: it gets the present UnionID.
    """
    counts = {}
    for table, statement in _FORGETS.items():
        found = await session.execute(statement, {"unionids": list(unionids)})
        counts[table] = len(found.all())
    return counts


async def people_known(session: AsyncSession, people: Iterable[Known]) -> bool:
    """Tell whether any of these OpenIDs is known."""
    return await session.scalar(_ANY, _columns(people)) is not None


async def first_seen(session: AsyncSession, known: Known) -> datetime | None:
    """Return when an OpenID was heard of first; None when it is unknown."""
    appid, openid = known
    seen: datetime | None = await session.scalar(_FIRST_SEEN, {"appid": appid, "openid": openid})
    return seen


async def last_seen(session: AsyncSession, people: Iterable[Known]) -> datetime | None:
    """Return when any of these OpenIDs was heard of last, by WeChat's clock."""
    seen: datetime | None = await session.scalar(_LAST_SEEN, _columns(people))
    return seen


async def unionids_of(session: AsyncSession, people: Iterable[Known]) -> set[str]:
    """Return the UnionIDs that these OpenIDs have now."""
    return set(await session.scalars(_UNIONIDS, _columns(people)))


async def unionids_in_rows_of(session: AsyncSession, people: Iterable[Known]) -> set[str]:
    """Return every UnionID that these OpenIDs have, or had: perhaps one of somebody else."""
    return set(await session.scalars(_UNIONIDS_IN_ROWS, _columns(people)))


async def people_of(session: AsyncSession, unionids: Iterable[str]) -> set[Known]:
    """Return every (AppID, OpenID) that has one of these UnionIDs now."""
    found = await session.execute(_PEOPLE, {"unionids": list(unionids)})
    return {(appid, openid) for appid, openid in found}


async def is_mentioned(session: AsyncSession, unionid: str) -> bool:
    """Tell whether anybody has a UnionID, is on record as having had it, or a push names it."""
    return bool(await session.scalar(_MENTIONED, {"unionid": unionid}))


async def is_in_pushes(session: AsyncSession, appid: str, openid: str) -> bool:
    """Tell whether a push is from an OpenID, or names it, that may be unknown otherwise."""
    return bool(await session.scalar(_IN_PUSHES, {"appid": appid, "openid": openid}))


def _columns(people: Iterable[Known]) -> dict[str, list[str]]:
    known = list(people)
    return {
        "appids": [appid for appid, _ in known],
        "openids": [openid for _, openid in known],
    }


_LOCK = text("SELECT 1 FROM openids WHERE appid = :appid AND openid = :openid FOR UPDATE")

_MARK = text(
    """
    UPDATE openids SET erased_until = GREATEST(erased_until, CAST(:until AS timestamptz))
    WHERE appid = :appid AND openid = :openid
    """
)

_MARK_CLASS = text(
    """
    UPDATE openids SET revoked = COALESCE(revoked, '{}') || jsonb_build_object(
        CAST(:scope AS text),
        GREATEST(CAST(revoked->>CAST(:scope AS text) AS bigint), CAST(:seconds AS bigint))
    )
    WHERE appid = :appid AND openid = :openid
    """
)

_DELETES = {
    "openids": text("DELETE FROM openids WHERE appid = :appid AND openid = :openid RETURNING 1"),
    "unionid_changes": text(
        "DELETE FROM unionid_changes WHERE appid = :appid AND openid = :openid RETURNING 1"
    ),
}

_UNTIL = text("SELECT erased_until FROM openids WHERE appid = :appid AND openid = :openid")

_CLASSES = text("SELECT revoked FROM openids WHERE appid = :appid AND openid = :openid")

_THEIRS = """
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
"""

_FIRST_SEEN = text("SELECT first_seen_at FROM openids WHERE appid = :appid AND openid = :openid")

_LAST_SEEN = text(f"SELECT max(last_seen_at) FROM openids {_THEIRS}")  # noqa: S608 - a constant

_ANY = text(f"SELECT 1 FROM openids {_THEIRS} LIMIT 1")  # noqa: S608 - a constant

_UNIONIDS = text(
    f"SELECT DISTINCT unionid FROM openids {_THEIRS} WHERE unionid IS NOT NULL"  # noqa: S608 - a constant
)

_UNIONIDS_IN_ROWS = text(
    f"""
    SELECT unionid FROM openids {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM follow_events {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT unionid FROM subscription_events {_THEIRS} WHERE unionid IS NOT NULL
    UNION SELECT old_unionid FROM unionid_changes {_THEIRS}
    UNION SELECT new_unionid FROM unionid_changes {_THEIRS}
    """  # noqa: S608 - a constant of this module
)

_PEOPLE = text("SELECT appid, openid FROM openids WHERE unionid = ANY(CAST(:unionids AS text[]))")

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

_REKEY = """
    UPDATE {table} e SET unionid = o.unionid FROM openids o
    WHERE o.appid = e.appid AND o.openid = e.openid AND o.unionid IS DISTINCT FROM e.unionid
      AND e.unionid = ANY(CAST(:unionids AS text[]))
    RETURNING 1
"""

_FORGETS = {
    "follow_events": text(_REKEY.format(table="follow_events")),
    "subscription_events": text(_REKEY.format(table="subscription_events")),
    "unionid_changes": text(
        """
        DELETE FROM unionid_changes c
        WHERE (old_unionid = ANY(CAST(:unionids AS text[]))
               OR new_unionid = ANY(CAST(:unionids AS text[])))
          AND NOT EXISTS (
              SELECT FROM openids o WHERE o.appid = c.appid AND o.openid = c.openid
                AND o.unionid = ANY(CAST(:unionids AS text[]))
          )
        RETURNING 1
        """
    ),
}
