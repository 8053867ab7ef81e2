"""Erases a person from arrivals, and what pages were opened once it is old.

An arrival stays in the figures, under the pseudonyms if the ids are erased. Those of a person at an
Official Account are the replies and notices that went to them; those of a mini-program are their
launches and conversions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear which pages up to `limit` arrivals opened; return how many."""
    found = await session.execute(_CONTENTS, person.parameters | {"limit": limit})
    return len(found.all())


async def erase_identity(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Do the same as `erase_contents`, and replace the ids by their pseudonyms.

    Also in arrivals that came from what was sent to the person, whoever came.
    """
    count = 0
    for statement in (_IDENTITY, _RECIPIENT):
        found = await session.execute(statement, person.parameters | {"limit": limit})
        count += len(found.all())
    return count


async def forget_unionids(
    session: AsyncSession, unionids: Mapping[str, str], until: datetime, limit: int
) -> int:
    """Replace UnionIDs by their pseudonyms in up to `limit` arrivals; return how many.

    Call it after `erase_identity` for the OpenIDs that are known to be the person's. What is left
    has another OpenID, or none: it is deleted. unionids: pseudonym by UnionID.
    """
    found = await session.execute(
        _UNIONIDS,
        {
            "unionids": list(unionids),
            "unionid_pseudonyms": list(unionids.values()),
            "until": until,
            "limit": limit,
        },
    )
    return len(found.all())


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Clear which pages up to `limit` arrivals from before opened; return how many.

    Locked rows are left for the next run.
    """
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


# A ref that is looked for later would lead to the person. The key may be made of an order number.
_CLEARED: Final = """
    path = NULL, query = NULL, ref = NULL, refs = '{}'
"""
_HAS_CONTENT: Final = "(path IS NOT NULL OR query IS NOT NULL OR ref IS NOT NULL OR refs <> '{}')"
_NO_KEY: Final = "report_key = uuid_send(gen_random_uuid())"
_PSEUDONYM: Final = """
    (SELECT pseudonym FROM unnest(CAST(:unionids AS text[]), CAST(:unionid_pseudonyms AS text[]))
         AS u(unionid, pseudonym)
     WHERE u.unionid = arrivals.unionid)
"""
_OF_PERSON: Final = """
    SELECT id FROM arrivals WHERE appid = :appid AND openid = :openid AND at <= :until
"""

_CONTENTS: Final = text(
    f"""
    UPDATE arrivals SET {_CLEARED}
    WHERE id = ANY(ARRAY({_OF_PERSON} AND {_HAS_CONTENT} LIMIT :limit FOR UPDATE))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_IDENTITY: Final = text(
    f"""
    UPDATE arrivals SET openid = :pseudonym, unionid = {_PSEUDONYM}, {_NO_KEY}, {_CLEARED}
    WHERE id = ANY(ARRAY({_OF_PERSON} LIMIT :limit FOR UPDATE))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_RECIPIENT: Final = text(
    """
    UPDATE arrivals SET recipient = :pseudonym, ref = NULL, refs = '{}'
    WHERE id = ANY(ARRAY(
        SELECT id FROM arrivals
        WHERE account = :appid AND recipient = :openid
          AND (sent_at IS NULL OR sent_at <= :until)
        LIMIT :limit FOR UPDATE
    ))
    RETURNING 1
    """
)

_UNIONIDS: Final = text(
    f"""
    UPDATE arrivals SET openid = NULL, unionid = {_PSEUDONYM}, {_NO_KEY}, {_CLEARED}
    WHERE id = ANY(ARRAY(
        SELECT id FROM arrivals
        WHERE unionid = ANY(CAST(:unionids AS text[])) AND at <= :until
        LIMIT :limit FOR UPDATE
    ))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_OLDER: Final = text("""
UPDATE arrivals SET path = NULL, query = NULL WHERE id = ANY(ARRAY(
    SELECT id FROM arrivals
    WHERE (query IS NOT NULL OR path IS NOT NULL) AND received_at < :before AND try_at IS NULL
    ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED
))
RETURNING 1
""")
