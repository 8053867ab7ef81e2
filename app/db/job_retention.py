"""Deletes old rows of PgQueuer's tables: log, statistics, and jobs that are held.

The service reads neither the log nor the statistics.
"""

from datetime import timedelta

from sqlalchemy import text

from app.clock import Clock
from app.db.engine import SessionFactory

KEPT_FOR = timedelta(days=1)
# Of the held jobs with one key only the newest is kept, since all of them do the same work.
HELD_FOR = timedelta(days=7)
MAX_AT_ONCE = 5_000
# Limits one run; the next run begins a minute later.
MAX_BATCHES = 50


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete rows that are older than a day, in batches of one transaction each.

    A log row with a traceback stays until `erase_older` has cleared the traceback. A held job stays
    for HELD_FOR, or until a newer one with its key is held.
    """
    now = clock.now()
    for statement, kept_for in ((_LOG, KEPT_FOR), (_STATISTICS, KEPT_FOR), (_HELD, HELD_FOR)):
        bound = {"before": now - kept_for, "limit": MAX_AT_ONCE}
        for _ in range(MAX_BATCHES):
            async with sessions.begin() as session:
                deleted = await session.execute(statement, bound)
            if len(deleted.all()) < MAX_AT_ONCE:
                break


_LOG = text(
    """
    DELETE FROM pgqueuer_log WHERE id = ANY(ARRAY(
        SELECT id FROM pgqueuer_log
        WHERE created < :before AND traceback IS NULL
        ORDER BY created LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)

# There is no index by time, but the ids are in the order of time.
_STATISTICS = text(
    """
    DELETE FROM pgqueuer_statistics WHERE created < :before AND id = ANY(ARRAY(
        SELECT id FROM pgqueuer_statistics ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)

_HELD = text(
    """
    DELETE FROM pgqueuer WHERE id = ANY(ARRAY(
        SELECT held.id FROM pgqueuer held
        WHERE held.status = 'failed' AND (held.updated < :before OR EXISTS (
            SELECT FROM pgqueuer newer
            WHERE newer.status = 'failed' AND newer.dedupe_key = held.dedupe_key
              AND newer.id > held.id
        ))
        ORDER BY held.id LIMIT :limit FOR UPDATE OF held SKIP LOCKED
    ))
    RETURNING 1
    """
)
