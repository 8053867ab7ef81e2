"""Erases ids of people from PgQueuer's tables.

Jobs hold ids of rows only, but a traceback may quote the parameters of a failed statement.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def erase_mentions(session: AsyncSession, words: Sequence[str]) -> int:
    """Delete tracebacks that contain any of `words`, and jobs that have it as a JSON string.

    Returns the number of changed and deleted rows.
    """
    parameters = {"words": list(words)}
    tracebacks = await session.execute(_TRACEBACKS, parameters)
    jobs = await session.execute(_JOBS, parameters)
    return len(tracebacks.all()) + len(jobs.all())


async def erase_older(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete up to `limit` tracebacks that are older than `before`; return how many."""
    found = await session.execute(_OLDER, {"before": before, "limit": limit})
    return len(found.all())


_OLDER = text(
    """
    UPDATE pgqueuer_log SET traceback = NULL
    WHERE id = ANY(ARRAY(
        SELECT id FROM pgqueuer_log WHERE traceback IS NOT NULL AND created < :before
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)

_TRACEBACKS = text(
    """
    UPDATE pgqueuer_log SET traceback = NULL
    WHERE traceback IS NOT NULL AND EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) AS w(word)
        WHERE strpos(CAST(traceback AS text), word) > 0
    )
    RETURNING 1
    """
)

_JOBS = text(
    """
    DELETE FROM pgqueuer WHERE EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) AS w(word),
                    CAST(to_json(word) AS text) AS quoted
        WHERE position(convert_to(quoted, 'UTF8') in payload) > 0
           OR dedupe_key = word OR strpos(CAST(headers AS text), quoted) > 0
    )
    RETURNING 1
    """
)
