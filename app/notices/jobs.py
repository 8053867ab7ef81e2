"""Job names of this package, and how its jobs are enqueued."""

from collections.abc import Sequence
from uuid import UUID

from app.db.queue import NewJob
from app.notices.models import SendSource

SEND = "notices.send"
SETTLE = "notices.settle"

# Of an audience: the replies and notices that people wait for go first.
IN_BULK = -1


def send_job(send_id: UUID, source: SendSource) -> NewJob:
    """Return the job that queues and sends the notices of one send."""
    return NewJob(
        SEND,
        {"send_id": str(send_id)},
        key=f"{SEND}:{send_id}",
        priority=IN_BULK if source is SendSource.AUDIENCE else 0,
    )


def settle_job(callback_ids: Sequence[UUID]) -> NewJob:
    """Return the job that joins reports of deliveries to their notices."""
    names = ",".join(map(str, callback_ids))
    return NewJob(SETTLE, {"callback_ids": names}, priority=IN_BULK)
