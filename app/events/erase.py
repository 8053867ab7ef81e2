"""Removes what this room knows of a person; what happened when may stay without them."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.identity.erasing import Person


async def erase_contents(session: AsyncSession, person: Person) -> Mapping[str, int]:
    """Clear scenes and tickets; return the number of rows by table."""
    return await _run(session, _CONTENTS, person)


async def is_back(session: AsyncSession, person: Person) -> bool:
    """Tell whether the person follows again, or did anything, since what the erasure answers to."""
    return bool(await session.scalar(_IS_BACK, person.parameters))


async def erase_identity(session: AsyncSession, person: Person, *, back: bool) -> Mapping[str, int]:
    """Put pseudonyms into the history, delete the states; return the number of rows by table.

    back: what came since stays as it is.
    """
    return await _run(session, _OF_BEFORE if back else _OF_ALL, person)


async def _run(
    session: AsyncSession, statements: Mapping[str, TextClause], person: Person
) -> Mapping[str, int]:
    counts = {}
    for table, statement in statements.items():
        counts[table] = len((await session.execute(statement, person.parameters)).all())
    return counts


_CONTENTS = {
    "follow_events": text(
        """
        UPDATE follow_events SET scene = NULL, ticket = NULL
        WHERE appid = :appid AND openid = :openid AND occurred_at <= :until
          AND (scene IS NOT NULL OR ticket IS NOT NULL)
        RETURNING 1
        """
    ),
    "subscription_events": text(
        """
        UPDATE subscription_events SET popup_scene = NULL, msgid = NULL
        WHERE appid = :appid AND openid = :openid AND occurred_at <= :until
          AND (popup_scene IS NOT NULL OR msgid IS NOT NULL)
        RETURNING 1
        """
    ),
    "followers": text(
        """
        UPDATE followers SET scene = NULL, how = NULL
        WHERE appid = :appid AND openid = :openid AND followed_at <= :until
          AND (scene IS NOT NULL OR how IS NOT NULL)
        RETURNING 1
        """
    ),
}

# Leaving is not coming back, nor is what WeChat says about a person without counting them as seen;
# a report or a sync makes them seen, but by our clock.
_IS_BACK = text(
    """
    SELECT EXISTS (
        SELECT FROM followers WHERE appid = :appid AND openid = :openid AND following
          AND (last_at, last_id) > (CAST(:until AS timestamptz), CAST(:event_id AS uuid))
    ) OR EXISTS (
        SELECT FROM callbacks JOIN openids USING (appid, openid)
        WHERE appid = :appid AND openid = :openid AND last_seen_at > :until
          AND occurred_at > :until AND event IS DISTINCT FROM 'unsubscribe'
    )
    """
)

# A UnionID that is not among the person's own is gone too.
_PSEUDONYMS = """
    SET openid = :pseudonym, unionid = (
        SELECT pseudonym FROM unnest(CAST(:unionids AS text[]),
                                     CAST(:unionid_pseudonyms AS text[])) AS u(unionid, pseudonym)
        WHERE u.unionid = e.unionid
    )
    WHERE appid = :appid AND openid = :openid
"""
_BEFORE = "AND (occurred_at, id) <= (CAST(:until AS timestamptz), CAST(:event_id AS uuid))"

_UP_TO = "AND occurred_at <= :until"

_OF_BEFORE = {
    "follow_events": text(f"UPDATE follow_events e {_PSEUDONYMS} {_BEFORE} RETURNING 1"),
    "subscription_events": text(f"UPDATE subscription_events e {_PSEUDONYMS} {_UP_TO} RETURNING 1"),
    "followers": text(
        """
        UPDATE followers SET unfollowed_at = NULL
        WHERE appid = :appid AND openid = :openid AND unfollowed_at <= :until
        RETURNING 1
        """
    ),
    "consents": text(
        """
        DELETE FROM consents WHERE appid = :appid AND openid = :openid
          AND (decided_at IS NULL OR decided_at <= :until)
        RETURNING 1
        """
    ),
}
_OF_ALL = {
    "follow_events": text(f"UPDATE follow_events e {_PSEUDONYMS} RETURNING 1"),
    "subscription_events": text(f"UPDATE subscription_events e {_PSEUDONYMS} RETURNING 1"),
    "followers": text(
        "DELETE FROM followers WHERE appid = :appid AND openid = :openid RETURNING 1"
    ),
    "consents": text("DELETE FROM consents WHERE appid = :appid AND openid = :openid RETURNING 1"),
}
