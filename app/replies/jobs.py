"""Job names of this package, and how its jobs are enqueued."""

from datetime import datetime, timedelta
from uuid import UUID

from app.db.queue import NewJob

DELIVER = "replies.deliver"
RETRY = "replies.retry"


# Windows after a follow, a scan or a menu tap last a minute. Their replies are sent before others.
URGENT_WITHIN = timedelta(minutes=2)
URGENT = 1
# Of many replies that are sent again: whoever writes now does not wait for them.
IN_BULK = -1


def deliver_key(callback_id: UUID) -> str:
    """Return the key of the job that sends the queued replies of one callback."""
    return f"{DELIVER}:{callback_id}"


def deliver_job(
    callback_id: UUID,
    *,
    urgent: bool = False,
    in_bulk: bool = False,
    delay: timedelta | None = None,
) -> NewJob:
    """Return the job that sends the queued replies of one callback, in their order."""
    return NewJob(
        DELIVER,
        {"callback_id": str(callback_id)},
        key=deliver_key(callback_id),
        delay=delay,
        priority=URGENT if urgent else IN_BULK if in_bulk else 0,
        callback_id=callback_id,
    )


def retry_job(retry_id: UUID) -> NewJob:
    """Return the job that queues the replies of one bulk retry again."""
    return NewJob(RETRY, {"retry_id": str(retry_id)}, key=f"{RETRY}:{retry_id}")


def is_urgent(expires_at: datetime, now: datetime) -> bool:
    """Return whether a reply must be sent before those that have longer."""
    return expires_at <= now + URGENT_WITHIN
