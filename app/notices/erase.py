"""Erases a person from notices, and what notices said once it is old.

A notice stays in the figures, under the pseudonym if the ids are erased.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def erase_contents(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Clear what up to `limit` notices said, and skip those that wait; return how many."""
    found = await session.execute(_CONTENTS, person.parameters | {"limit": limit})
    return len(found.all())


async def erase_identity(session: AsyncSession, person: ErasureSubject, limit: int) -> int:
    """Do the same as `erase_contents`, and replace the OpenID by the pseudonym."""
    found = await session.execute(_IDENTITY, person.parameters | {"limit": limit})
    return len(found.all())


async def erase_consents(session: AsyncSession, person: ErasureSubject) -> int:
    """Delete the reservations of the person's consents; return how many."""
    return len((await session.execute(_CONSENTS, person.parameters)).all())


async def erase_listed(session: AsyncSession, person: ErasureSubject) -> int:
    """Take the person's UnionIDs out of sends that are not over; return from how many."""
    return len((await session.execute(_LISTED, person.parameters)).all())


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Clear what up to `limit` notices from before said, and as many sends; return how many.

    Locked rows are left for the next run.
    """
    cleared = 0
    for statement in (_OLDER_NOTICES, _OLDER_SENDS):
        found = await session.execute(statement, {"before": before, "limit": limit})
        cleared = max(cleared, len(found.all()))
    return cleared


# What is being sent keeps its status: its job has a copy in memory and will set it.
_CLEARED: Final = """
    content = NULL, errmsg = NULL, rid = NULL, msgid = NULL, result = NULL,
    status = CASE WHEN status = 'pending' THEN 'skipped' ELSE status END
"""
_OF_PERSON: Final = """
    SELECT id FROM notices WHERE appid = :appid AND openid = :openid AND created_at <= :until
"""

_CONTENTS: Final = text(
    f"""
    UPDATE notices SET {_CLEARED} WHERE id = ANY(ARRAY(
        {_OF_PERSON}
          AND (content IS NOT NULL OR errmsg IS NOT NULL OR rid IS NOT NULL OR msgid IS NOT NULL
               OR result IS NOT NULL OR status = 'pending')
        LIMIT :limit FOR UPDATE
    ))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_IDENTITY: Final = text(
    f"""
    UPDATE notices SET openid = :pseudonym, {_CLEARED}
    WHERE id = ANY(ARRAY({_OF_PERSON} LIMIT :limit FOR UPDATE))
    RETURNING 1
    """  # noqa: S608 - constants of this module
)

_CONSENTS: Final = text("""
DELETE FROM notice_consents n WHERE n.appid = :appid AND n.openid = :openid
  AND NOT EXISTS (
      SELECT FROM consents c
      WHERE c.appid = n.appid AND c.openid = n.openid AND c.template_id = n.template_id
  )
RETURNING 1
""")

# A send forgets whom its filter named when all its notices are queued, and when it ends.
_LISTED: Final = text("""
UPDATE notice_sends SET audience = jsonb_set(audience, '{unionids}', (
    SELECT jsonb_agg(CASE WHEN one #>> '{}' = ANY(CAST(:unionids AS text[]))
                          THEN to_jsonb(CAST('erased' AS text)) ELSE one END)
    FROM jsonb_array_elements(audience -> 'unionids') one
))
WHERE ended_at IS NULL AND audience -> 'unionids' ?| CAST(:unionids AS text[])
RETURNING 1
""")

_OLDER_NOTICES: Final = text("""
UPDATE notices SET content = NULL WHERE id = ANY(ARRAY(
    SELECT id FROM notices
    WHERE content IS NOT NULL AND created_at < :before AND status NOT IN ('pending', 'sending')
    ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
))
RETURNING 1
""")

_OLDER_SENDS: Final = text("""
UPDATE notice_sends SET content = '{}' WHERE id = ANY(ARRAY(
    SELECT id FROM notice_sends
    WHERE content <> '{}' AND created_at < :before AND ended_at IS NOT NULL
    ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
))
RETURNING 1
""")
