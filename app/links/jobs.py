"""The job `links.renew`, which asks WeChat for the URL Link of one link, as it is enqueued."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.db.queue import NewJob

RENEW: Final = "links.renew"


def renew_job(link_id: UUID, delay: timedelta | None = None) -> NewJob:
    """Return the job of one link. It names the link alone; whether it is due stands in the row.

    It has no key: a job that runs may have read the row before the change that this one is for. A
    second job that finds nothing due does nothing.
    """
    return NewJob(RENEW, {"link_id": str(link_id)}, delay=delay)


def missing_job(link_id: UUID) -> NewJob:
    """Return the same job for the sweep, which adds none while it has one in the queue."""
    return replace(renew_job(link_id), key=f"{RENEW}:{link_id}")
