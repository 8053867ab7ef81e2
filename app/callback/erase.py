"""Erases what people pushed from `callbacks`.

The row and its dedupe key stay, so that a copy that WeChat sends later is not taken for a new
push.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.callback.strip_json import without_members
from app.privacy.inbox_protocol import NamedInPushes
from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear up to `limit` payloads of a person; return how many."""
    found = await session.execute(_CONTENTS, person.parameters | {"limit": limit})
    return len(found.all())


async def erase_identity(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear payloads and replace the OpenID by the pseudonym; clear other pushes that name it.

    Up to `limit` rows each; returns how many. Whom a push
    names is what the database function `oa_bridge_named` returns.
    """
    parameters = person.parameters | {"limit": limit}
    own = await session.execute(_IDENTITY, parameters)
    named = await session.execute(_NAMED, parameters)
    return len(own.all()) + len(named.all())


async def erase_unionids(
    session: AsyncSession, unionids: Sequence[str], until: datetime, limit: int
) -> int:
    """Clear up to `limit` payloads that name these UnionIDs; return how many.

    until: as long as an OpenID has one of them, only pushes up to then are cleared.
    """
    found = await session.execute(
        _UNIONIDS, {"unionids": list(unionids), "until": until, "limit": limit}
    )
    return len(found.all())


async def erase_kinds(
    session: AsyncSession, person: ErasureSubject, kinds: Sequence[str], limit: int
) -> int:
    """Clear up to `limit` payloads of these message types or events; return how many."""
    found = await session.execute(
        _KINDS, person.parameters | {"kinds": list(kinds), "limit": limit}
    )
    return len(found.all())


async def erase_members(
    session: AsyncSession, person: ErasureSubject, members: Sequence[str], limit: int
) -> int:
    """Remove these members from up to `limit` payloads; return how many had any.

    members: lower-case names, found in any case and at any depth. Pushes of others that name the
    person are searched, too.
    """
    spelled = rf'"({"|".join(members)})\\*"\s*:'
    found = await session.execute(
        _WITH_MEMBERS, person.parameters | {"spelled": spelled, "limit": limit}
    )
    documents = [(id_, json.loads(payload)) for id_, payload in found]
    cleaned = [(id_, document, without_members(document, members)) for id_, document in documents]
    changed = [
        {"id": id_, "payload": json.dumps(left, ensure_ascii=False)}
        for id_, document, left in cleaned
        if left != document
    ]
    if changed:
        await session.execute(_REPLACE, changed)
    return len(changed)


async def has_before(session: AsyncSession, person: ErasureSubject) -> bool:
    """Return whether the person has a push in the span that is to be erased."""
    return bool(await session.scalar(_BEFORE, person.parameters))


async def first_after(session: AsyncSession, person: ErasureSubject) -> datetime | None:
    """Return the CreateTime of the person's first push since what is to be erased."""
    first: datetime | None = await session.scalar(_FIRST_AFTER, person.parameters)
    return first


async def named_in(session: AsyncSession, callback_ids: Sequence[UUID]) -> Sequence[NamedInPushes]:
    """Return who sent these pushes or is named in them, in order of their keys."""
    found = await session.execute(_NAMED_IN, {"callback_ids": list(callback_ids)})
    return [NamedInPushes(*row) for row in found]


async def unlink(session: AsyncSession, appid: str, pseudonym: str) -> None:
    """Replace the dedupe keys of an erased person by random ones, once no copy can come any more.

    With the old key, somebody who knows an OpenID and the exact push could find the row.
    """
    await session.execute(_UNLINK, {"appid": appid, "pseudonym": pseudonym})


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Clear up to `limit` payloads that arrived before `before`; return how many.

    Locked rows are left to the next run.
    """
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


_OWN = "appid = :appid AND openid = :openid AND occurred_at <= :until"
_FULL = "(payload <> '{}' OR passive IS NOT NULL)"
_SOME = "ORDER BY id LIMIT :limit FOR UPDATE"

_BEFORE = text(f"SELECT EXISTS (SELECT FROM callbacks WHERE {_OWN})")  # noqa: S608 - a constant

_FIRST_AFTER = text(
    """
    SELECT min(occurred_at) FROM callbacks
    WHERE appid = :appid AND openid = :openid AND occurred_at > :until
    """
)

_NAMED_IN = text(
    """
    SELECT appid, who, min(occurred_at), max(occurred_at)
    FROM callbacks CROSS JOIN LATERAL unnest(oa_bridge_named(msgtype, payload) || openid) AS who
    WHERE id = ANY(CAST(:callback_ids AS uuid[]))
    GROUP BY appid, who ORDER BY appid, who
    """
)

_CONTENTS = text(
    f"""
    UPDATE callbacks SET payload = '{{}}', passive = NULL
    WHERE id = ANY(ARRAY(SELECT id FROM callbacks WHERE {_OWN} AND {_FULL} {_SOME}))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_IDENTITY = text(
    f"""
    UPDATE callbacks SET openid = :pseudonym, payload = '{{}}', passive = NULL
    WHERE id = ANY(ARRAY(SELECT id FROM callbacks WHERE {_OWN} {_SOME}))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

# Read first by its own index: in the order of ids the whole inbox would be searched.
_CLEAR_NAMED = """
    UPDATE callbacks SET payload = '{}', passive = NULL
    WHERE id = ANY(ARRAY(
        SELECT id FROM callbacks WHERE id IN (SELECT id FROM named) AND payload <> '{}'
        ORDER BY id LIMIT :limit FOR UPDATE
    ))
    RETURNING 1
"""

# Pushes about somebody else, or about an order, that name the person in a member. A UnionID that
# another OpenID has now does not count: the push may be about that person.
_NAMED = text(
    f"""
    WITH named AS MATERIALIZED (
        SELECT id FROM callbacks
        WHERE occurred_at <= :until
          AND oa_bridge_named(msgtype, payload) && (CAST(:openid AS text) || ARRAY(
              SELECT unionid FROM unnest(CAST(:unionids AS text[])) AS u(unionid)
              WHERE NOT EXISTS (
                  SELECT FROM openids o WHERE o.unionid = u.unionid
                    AND (o.appid, o.openid) <> (CAST(:appid AS text), CAST(:openid AS text))
              )
          ))
    )
    {_CLEAR_NAMED}
    """  # noqa: S608 - a constant of this module
)

_UNIONIDS = text(
    f"""
    WITH named AS MATERIALIZED (
        SELECT id FROM callbacks
        WHERE oa_bridge_named(msgtype, payload) && CAST(:unionids AS text[])
          AND (occurred_at <= :until OR NOT EXISTS (
              SELECT FROM openids WHERE unionid = ANY(CAST(:unionids AS text[]))
          ))
    )
    {_CLEAR_NAMED}
    """  # noqa: S608 - a constant of this module
)

_KINDS = text(
    f"""
    UPDATE callbacks SET payload = '{{}}', passive = NULL
    WHERE id = ANY(ARRAY(
        SELECT id FROM callbacks
        WHERE {_OWN} AND {_FULL} AND COALESCE(event, msgtype) = ANY(CAST(:kinds AS text[])) {_SOME}
    ))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_WITH_MEMBERS = text(
    f"""
    WITH of_person AS MATERIALIZED (
        SELECT id FROM callbacks WHERE {_OWN}
        UNION
        SELECT id FROM callbacks
        WHERE occurred_at <= :until
          AND oa_bridge_named(msgtype, payload) && ARRAY[CAST(:openid AS text)]
    )
    SELECT id, payload::text FROM callbacks
    WHERE id IN (SELECT id FROM of_person) AND payload::text ~* :spelled {_SOME}
    """  # noqa: S608 - constants of this module
)

_REPLACE = text("UPDATE callbacks SET payload = CAST(:payload AS jsonb) WHERE id = :id")

_UNLINK = text(
    """
    UPDATE callbacks SET dedupe_key = uuid_send(gen_random_uuid())
    WHERE appid = :appid AND openid = :pseudonym
    """
)

_OLDER = text(
    """
    UPDATE callbacks SET payload = '{}', passive = NULL
    WHERE id = ANY(ARRAY(
        SELECT id FROM callbacks WHERE payload <> '{}' AND received_at < :before
        ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)
