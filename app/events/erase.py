"""Removes what this room knows of a person; what happened when may stay without them."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.events.activity import active_since as who_is_back
from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Clear scenes and tickets; return the number of rows by table."""
    return await _run(session, _CONTENTS, person)


async def is_back(session: AsyncSession, person: ErasureSubject) -> bool:
    """Tell whether the person follows again, or did anything, since what the erasure answers to."""
    one = (person.appid, person.openid, person.until, person.event_id)
    return bool(await who_is_back(session, [one]))


async def erase_identity(
    session: AsyncSession, person: ErasureSubject, *, back: bool
) -> Mapping[str, int]:
    """Put pseudonyms into the history, delete the states; return the number of rows by table.

    back: what came since stays as it is. Otherwise whoever still followed goes on being counted,
    under the pseudonym.
    """
    counts = await _run(session, _OF_BEFORE if back else _OF_ALL, person)
    if back:
        await hand_over(session, person)
    else:
        for statement in _STAND:
            await session.execute(statement, person.parameters)
    return counts


async def hand_over(session: AsyncSession, person: ErasureSubject) -> None:
    """Let a follower who is back count as themselves and no longer under the pseudonym, too.

    What ends the erased following belongs to it. Without an unfollow a new follow tells that they
    had left; when, nobody saw. Whoever acts without having followed again follows still.
    """
    for statement in _HAND_OVER:
        await session.execute(statement, person.parameters)


async def _run(
    session: AsyncSession, statements: Mapping[str, TextClause], person: ErasureSubject
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

_LAST = """
    last AS (
        SELECT * FROM follow_events
        WHERE appid = :appid AND openid = :pseudonym AND action IN ('follow', 'unfollow')
        ORDER BY occurred_at DESC, id DESC LIMIT 1
    )
"""

_STAND = (
    text(
        f"""
        WITH {_LAST}
        DELETE FROM followers WHERE appid = :appid AND openid = :pseudonym
          AND NOT EXISTS (SELECT FROM last WHERE action = 'follow')
        """  # noqa: S608 - a constant of this module
    ),
    text(
        f"""
        WITH {_LAST}
        INSERT INTO followers (appid, openid, unionid, following, followed_at, followed_id,
                               last_at, last_id, source)
        SELECT appid, openid, unionid, true, occurred_at, id, occurred_at, id, source
        FROM last WHERE action = 'follow'
        ON CONFLICT (appid, openid) DO NOTHING
        """  # noqa: S608 - a constant of this module
    ),
)

_FIRST = """
    first AS (
        SELECT * FROM follow_events
        WHERE appid = :appid AND openid = :openid AND action IN ('follow', 'unfollow')
        ORDER BY occurred_at, id LIMIT 1
    )
"""

_HAND_OVER = (
    text("DELETE FROM followers WHERE appid = :appid AND openid = :pseudonym"),
    text(
        f"""
        WITH {_LAST}
        INSERT INTO followers (appid, openid, unionid, following, last_at, last_id, source)
        SELECT o.appid, o.openid, o.unionid, true, :until,
               CAST('00000000-0000-0000-0000-000000000000' AS uuid), last.source
        FROM last JOIN openids o ON o.appid = :appid AND o.openid = :openid
        WHERE last.action = 'follow'
        ON CONFLICT (appid, openid) DO NOTHING
        """  # noqa: S608 - a constant of this module
    ),
    text(
        f"""
        WITH {_LAST}, {_FIRST}, ends AS (
            UPDATE follow_events e SET openid = last.openid, unionid = last.unionid
            FROM last, first
            WHERE e.id = first.id AND last.action = 'follow' AND first.action = 'unfollow'
        )
        INSERT INTO follow_events (id, appid, openid, unionid, action, occurred_at, source)
        SELECT gen_random_uuid(), last.appid, last.openid, last.unionid, 'unfollow',
               first.occurred_at, 'sync'
        FROM last, first WHERE last.action = 'follow' AND first.action = 'follow'
        """  # noqa: S608 - constants of this module
    ),
)
