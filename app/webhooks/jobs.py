"""Job names of this package, and how its jobs are enqueued."""

from uuid import UUID

from app.db.queue import NewJob

DELIVER = "feed.deliver"


def deliver_job(webhook_id: UUID, *, after: UUID | None = None) -> NewJob:
    """Return the job that sends the due deliveries of one webhook.

    after: the run that stopped at a limit. Its own job still counts as running, so a job with the
    same key would not be added.
    """
    key = f"{DELIVER}:{webhook_id}" if after is None else f"{DELIVER}:{webhook_id}:{after}"
    return NewJob(DELIVER, {"webhook_id": str(webhook_id)}, key=key)
