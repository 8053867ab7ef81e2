"""The privacy room's jobs as they are enqueued. They name rows, never people."""

from datetime import timedelta
from uuid import UUID

from app.db.queue import NewJob

ERASE = "privacy.erase"
CHECK = "privacy.check"

# Most webhooks have heard by then that somebody left: nothing has to wait for them.
GRACE = timedelta(seconds=10)


def erase_job(erasure_id: UUID) -> NewJob:
    """Return the job that carries an erasure out, after a moment of grace."""
    return NewJob(ERASE, {"erasure_id": str(erasure_id)}, key=f"{ERASE}:{erasure_id}", delay=GRACE)


def check_job() -> NewJob:
    """Return the job that looks at late pushes: a doorbell, since they stand in a table."""
    return NewJob(CHECK, {}, key=CHECK)
