"""SQL that sets UnionIDs in events, followers and consents to those of `openids`.

Events keep the UnionID that they got first; followers and consents have the present one. Except
for `replace_unionids` the caller has locked the openids rows, in the order of their keys.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.tombstones.subject import ErasureSubject


async def set_unionids(session: AsyncSession, known: Sequence[tuple[str, str, str]]) -> None:
    """Set UnionIDs in all rows of these OpenIDs. known: AppID, OpenID, UnionID."""
    keys = {
        "appids": [appid for appid, _, _ in known],
        "openids": [openid for _, openid, _ in known],
        "unionids": [unionid for _, _, unionid in known],
    }
    for statement in _SETS:
        await session.execute(statement, keys)


async def set_how(session: AsyncSession, hows: Sequence[tuple[str, str, str]]) -> None:
    """Set `how` of followers that lack it. hows: AppID, OpenID, subscribe_scene.

    A follow whose contents are erased is left out. WeChat returns subscribe_scene together with the
    UnionID.
    """
    if not hows:
        return
    await session.execute(
        _HOW,
        {
            "appids": [appid for appid, _, _ in hows],
            "openids": [openid for _, openid, _ in hows],
            "hows": [how for _, _, how in hows],
        },
    )


async def replace_unionids(session: AsyncSession, unionids: Iterable[str]) -> Mapping[str, int]:
    """Replace these UnionIDs in events of OpenIDs that have another UnionID now, or none.

    Such an event got its UnionID by mistake or before a change; it gets the present one, or NULL.
    Returns the number of rows by table.
    """
    return await _run(session, _REPLACEMENTS, {"unionids": list(unionids)})


async def copy_unionid(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Set the present UnionID, or NULL, in every row of an OpenID; return the rows by table.

    Call it after `identity.reset.forget_unionid`.
    """
    return await _run(session, _COPIES, person.parameters)


async def _run(
    session: AsyncSession, statements: Mapping[str, TextClause], parameters: Mapping[str, object]
) -> Mapping[str, int]:
    return {
        table: len((await session.execute(statement, parameters)).all())
        for table, statement in statements.items()
    }


_SET_FIRST = """
    UPDATE {table} e SET unionid = a.unionid
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
         AS a(appid, openid, unionid)
    WHERE e.appid = a.appid AND e.openid = a.openid AND e.unionid IS NULL
"""

_SET_PRESENT = """
    UPDATE {table} s SET unionid = a.unionid
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
         AS a(appid, openid, unionid)
    WHERE s.appid = a.appid AND s.openid = a.openid AND s.unionid IS DISTINCT FROM a.unionid
"""

_SETS = (
    *(text(_SET_FIRST.format(table=table)) for table in ("follow_events", "subscription_events")),
    *(text(_SET_PRESENT.format(table=table)) for table in ("followers", "consents")),
)

_HOW = text(
    """
    UPDATE followers f SET how = a.how
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:hows AS text[]))
         AS a(appid, openid, how)
    JOIN openids o ON o.appid = a.appid AND o.openid = a.openid
    WHERE f.appid = a.appid AND f.openid = a.openid AND f.following AND f.how IS NULL
      AND (o.erased_until IS NULL OR f.followed_at > o.erased_until)
    """
)

_REPLACE = """
    UPDATE {table} e SET unionid = o.unionid FROM openids o
    WHERE o.appid = e.appid AND o.openid = e.openid AND o.unionid IS DISTINCT FROM e.unionid
      AND e.unionid = ANY(CAST(:unionids AS text[]))
    RETURNING 1
"""

_REPLACEMENTS = {
    table: text(_REPLACE.format(table=table)) for table in ("follow_events", "subscription_events")
}

_COPY = """
    UPDATE {table} AS t SET unionid = o.unionid FROM openids o
    WHERE t.appid = :appid AND t.openid = :openid AND o.appid = :appid AND o.openid = :openid
      AND t.unionid IS DISTINCT FROM o.unionid
    RETURNING 1
"""

_COPIES = {
    table: text(_COPY.format(table=table))
    for table in ("follow_events", "subscription_events", "followers", "consents")
}
