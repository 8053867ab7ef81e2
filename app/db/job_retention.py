"""Deletes old rows of PgQueuer's log and statistics. The service reads neither of them."""

from datetime import timedelta

from sqlalchemy import text

from app.clock import Clock
from app.db.engine import SessionFactory

KEPT_FOR = timedelta(days=1)
MAX_AT_ONCE = 5_000
# Limits one run; the next run begins a minute later.
MAX_BATCHES = 50


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete rows that are older than a day, in batches of one transaction each.

    A log row with a traceback stays until `erase_older` has cleared the traceback.
    """
    before = clock.now() - KEPT_FOR
    for statement in (_LOG, _STATISTICS):
        for _ in range(MAX_BATCHES):
            async with sessions.begin() as session:
                deleted = await session.execute(statement, {"before": before, "limit": MAX_AT_ONCE})
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
