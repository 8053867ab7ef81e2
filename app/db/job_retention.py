"""Keeps PgQueuer's log and statistics from growing for ever: nothing of ours reads either."""

from datetime import timedelta

from sqlalchemy import text

from app.clock import Clock
from app.db.engine import SessionFactory

KEPT_FOR = timedelta(days=1)
MAX_AT_ONCE = 5_000
# A run ends after so many batches; the next one is a minute away.
MAX_BATCHES = 50


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete what is older than a day, in batches, each in a transaction.

    A log row with a traceback stays until retention has cleared that.
    """
    before = clock.now() - KEPT_FOR
    for statement in (_LOG, _STATISTICS):
        for _ in range(MAX_BATCHES):
            async with sessions.begin() as session:
                gone = await session.execute(statement, {"before": before, "limit": MAX_AT_ONCE})
            if len(gone.all()) < MAX_AT_ONCE:
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

# No index is by time, but the ids are drawn in that order.
_STATISTICS = text(
    """
    DELETE FROM pgqueuer_statistics WHERE created < :before AND id = ANY(ARRAY(
        SELECT id FROM pgqueuer_statistics ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
    """
)
