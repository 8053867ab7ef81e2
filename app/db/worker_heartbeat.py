"""The heartbeat of a worker: a row that says when it was last able to run jobs.

A worker that stops keeps its row, so that readiness can say since when none has run.
"""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS
from app.db.job_driver import JobDriver

BEAT_SECONDS: Final = 10.0
"""A worker that has not been seen for three of these does not run."""

# Workers that ended long ago are forgotten, but for the one that was seen last.
_BEAT: Final = """
WITH forgotten AS (
    DELETE FROM worker_heartbeats
    WHERE seen_at < now() - interval '1 hour' AND id <> $1
      AND seen_at < (SELECT max(seen_at) FROM worker_heartbeats)
)
INSERT INTO worker_heartbeats AS w (id, started_at, seen_at) VALUES ($1, now(), now())
ON CONFLICT (id) DO UPDATE SET seen_at = now()
"""

log = structlog.get_logger(__name__)


async def beat_forever(driver: JobDriver, worker_id: UUID) -> None:
    """Write the row of a worker at once and every BEAT_SECONDS, until it is cancelled."""
    while True:
        try:
            await driver.execute(_BEAT, worker_id)
        except UNAVAILABLE_ERRORS as error:
            log.warning("worker.heartbeat_not_written", reason=describe(error))
        await asyncio.sleep(BEAT_SECONDS)
