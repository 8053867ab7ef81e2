"""SQL that erases a person from tags and runs, and whom WeChat refused once that is old.

A tag at WeChat is not taken from anybody by it.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.subject import ErasureSubject


async def erase(session: AsyncSession, person: ErasureSubject) -> int:
    """Delete which tags a person had and what waits for them; return how many rows.

    The cursor of a run that stands at the person is set back to the start of the OpenID: people
    behind it may be called for again, which changes nothing.
    """
    erased = 0
    for statement in (_TAGS, _PEOPLE):
        erased += len((await session.execute(statement, person.parameters)).all())
    await session.execute(_CURSORS, person.parameters)
    return erased


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete up to `limit` people whom WeChat refused in runs that were over before `before`.

    Returns how many. Locked rows are left for the next run.
    """
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


_TAGS: Final = text("""
DELETE FROM follower_tags WHERE appid = :appid AND openid = :openid AND known_at <= :until
RETURNING 1
""")

_PEOPLE: Final = text("""
DELETE FROM tag_run_people p USING tag_runs r
WHERE p.appid = :appid AND p.openid = :openid AND r.id = p.run_id AND r.created_at <= :until
RETURNING 1
""")

_CURSORS: Final = text("""
UPDATE tag_runs SET cursor = "left"(cursor, 12)
WHERE appid = :appid AND cursor = :openid AND try_at IS NOT NULL
""")

_OLDER: Final = text("""
DELETE FROM tag_run_people WHERE (run_id, openid) IN (
    SELECT p.run_id, p.openid FROM tag_run_people p JOIN tag_runs r ON r.id = p.run_id
    WHERE r.ended_at < :before
    LIMIT :limit FOR UPDATE OF p SKIP LOCKED
)
RETURNING 1
""")
