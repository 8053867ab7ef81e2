"""Job names of this package, and how its jobs are enqueued."""

from uuid import UUID

from app.db.queue import NewJob

DELIVER = "replies.deliver"


def deliver_job(callback_id: UUID) -> NewJob:
    """Return the job that sends the queued replies of one callback, in their order."""
    return NewJob(DELIVER, {"callback_id": str(callback_id)}, key=f"{DELIVER}:{callback_id}")
