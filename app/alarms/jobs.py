"""The job `alarms.send`, as it is enqueued."""

from uuid import UUID

from app.db.queue import NewJob

SEND = "alarms.send"


def send_job(receiver_id: UUID) -> NewJob:
    """Return the job that tells one receiver what is to be told."""
    return NewJob(SEND, {"receiver_id": str(receiver_id)}, key=f"{SEND}:{receiver_id}")
