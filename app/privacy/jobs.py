"""The jobs of `privacy` as they are enqueued. They hold ids of rows, never of people."""

from datetime import timedelta
from uuid import UUID

from app.db.queue import NewJob

ERASE = "privacy.erase"
CHECK = "privacy.check"

# Most webhooks have received the unfollow by then, so that the erasure need not wait for them.
GRACE = timedelta(seconds=10)


def erase_job(erasure_id: UUID, callback_id: UUID | None = None) -> NewJob:
    """Return the job that carries an erasure out, delayed by GRACE.

    callback_id: of the callback that asks for it.
    """
    return NewJob(
        ERASE,
        {"erasure_id": str(erasure_id)},
        key=f"{ERASE}:{erasure_id}",
        delay=GRACE,
        callback_id=callback_id,
    )


def check_job() -> NewJob:
    """Return the job that checks late pushes; it reads them from the table `late_pushes`."""
    return NewJob(CHECK, {}, key=CHECK)
