"""SQL that erases a person from events, followers and consents.

Events may stay in the history, with pseudonyms in the place of the ids.
"""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import TextClause

from app.events.activity import active_since
from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Clear scenes, tickets and message ids; return the number of rows by table."""
    return await _run(session, _CONTENTS, person)


async def has_returned(session: AsyncSession, person: ErasureSubject) -> bool:
    """Return whether the person has followed again or done anything since the erased time."""
    one = (person.appid, person.openid, person.until, person.event_id)
    return bool(await active_since(session, [one]))


async def erase_identity(
    session: AsyncSession, person: ErasureSubject, *, returned: bool
) -> Mapping[str, int]:
    """Replace ids by pseudonyms in the events and delete the states.

    returned: rows after the erased time stay as they are. Otherwise all rows are covered, and a
    person who still followed is counted further, under the pseudonym. Returns the number of rows by
    table.
    """
    counts = await _run(session, _ERASE_OLDER if returned else _ERASE_ALL, person)
    if returned:
        await restore_follower(session, person)
    else:
        for statement in _COUNT_PSEUDONYM:
            await session.execute(statement, person.parameters)
    return counts


async def restore_follower(session: AsyncSession, person: ErasureSubject) -> None:
    """Move a returning follower from the pseudonym back to the OpenID.

    The unfollow that ended the erased period stays under the pseudonym. If the first event since is
    a follow, that unfollow was not seen: one is added at the time of the follow. A person who acts
    without a new follow still follows.
    """
    for statement in _RESTORE_FOLLOWER:
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

# A UnionID that is not one of the person's own becomes NULL.
_PSEUDONYMS = """
    SET openid = :pseudonym, unionid = (
        SELECT pseudonym FROM unnest(CAST(:unionids AS text[]),
                                     CAST(:unionid_pseudonyms AS text[])) AS u(unionid, pseudonym)
        WHERE u.unionid = e.unionid
    )
    WHERE appid = :appid AND openid = :openid
"""
_UP_TO_EVENT = "AND (occurred_at, id) <= (CAST(:until AS timestamptz), CAST(:event_id AS uuid))"

_UP_TO = "AND occurred_at <= :until"

_ERASE_OLDER = {
    "follow_events": text(f"UPDATE follow_events e {_PSEUDONYMS} {_UP_TO_EVENT} RETURNING 1"),
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
_ERASE_ALL = {
    "follow_events": text(f"UPDATE follow_events e {_PSEUDONYMS} RETURNING 1"),
    "subscription_events": text(f"UPDATE subscription_events e {_PSEUDONYMS} RETURNING 1"),
    "followers": text(
        "DELETE FROM followers WHERE appid = :appid AND openid = :openid RETURNING 1"
    ),
    "consents": text("DELETE FROM consents WHERE appid = :appid AND openid = :openid RETURNING 1"),
}

_LAST_EVENT = """
    last AS (
        SELECT * FROM follow_events
        WHERE appid = :appid AND openid = :pseudonym AND action IN ('follow', 'unfollow')
        ORDER BY occurred_at DESC, id DESC LIMIT 1
    )
"""

_COUNT_PSEUDONYM = (
    text(
        f"""
        WITH {_LAST_EVENT}
        DELETE FROM followers WHERE appid = :appid AND openid = :pseudonym
          AND NOT EXISTS (SELECT FROM last WHERE action = 'follow')
        """  # noqa: S608 - a constant of this module
    ),
    text(
        f"""
        WITH {_LAST_EVENT}
        INSERT INTO followers (appid, openid, unionid, following, followed_at, followed_id,
                               last_at, last_id, source)
        SELECT appid, openid, unionid, true, occurred_at, id, occurred_at, id, source
        FROM last WHERE action = 'follow'
        ON CONFLICT (appid, openid) DO NOTHING
        """  # noqa: S608 - a constant of this module
    ),
)

_FIRST_EVENT = """
    first AS (
        SELECT * FROM follow_events
        WHERE appid = :appid AND openid = :openid AND action IN ('follow', 'unfollow')
        ORDER BY occurred_at, id LIMIT 1
    )
"""

_RESTORE_FOLLOWER = (
    text("DELETE FROM followers WHERE appid = :appid AND openid = :pseudonym"),
    text(
        f"""
        WITH {_LAST_EVENT}
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
        WITH {_LAST_EVENT}, {_FIRST_EVENT}, ends AS (
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
