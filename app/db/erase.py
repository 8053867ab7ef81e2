"""Removes ids of people from PgQueuer's tables.

Our jobs carry ids of rows only. A traceback may quote the values that a statement failed with.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def erase_mentions(session: AsyncSession, words: Sequence[str]) -> int:
    """Delete tracebacks and jobs in which any of `words` stands; return the number of rows."""
    parameters = {"words": list(words)}
    tracebacks = await session.execute(_TRACEBACKS, parameters)
    jobs = await session.execute(_JOBS, parameters)
    return len(tracebacks.all()) + len(jobs.all())


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
        SELECT FROM unnest(CAST(:words AS text[])) AS w(word)
        WHERE position(convert_to(word, 'UTF8') in payload) > 0
           OR strpos(dedupe_key, word) > 0 OR strpos(CAST(headers AS text), word) > 0
    )
    RETURNING 1
    """
)
