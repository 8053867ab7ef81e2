"""The feed's jobs as they are enqueued."""

from uuid import UUID

from app.db.queue import NewJob

DELIVER = "feed.deliver"


def deliver_job(webhook_id: UUID, *, after: UUID | None = None) -> NewJob:
    """Return the job that sends what is due to one webhook.

    after: the run that had to stop before all was sent. Its own job still counts as running,
    and would keep one of the same key from being added.
    """
    key = f"{DELIVER}:{webhook_id}" if after is None else f"{DELIVER}:{webhook_id}:{after}"
    return NewJob(DELIVER, {"webhook_id": str(webhook_id)}, key=key)
