"""The job `menus.publish`, which brings one version to WeChat, as it is enqueued."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.db.queue import NewJob

PUBLISH: Final = "menus.publish"


def publish_job(version_id: UUID, delay: timedelta | None = None) -> NewJob:
    """Return the job of one version. Whether it is due stands in the row."""
    return NewJob(PUBLISH, {"version_id": str(version_id)}, delay=delay)


def missing_job(version_id: UUID) -> NewJob:
    """Return the same job for the sweep, which adds none while it has one in the queue."""
    return replace(publish_job(version_id), key=f"{PUBLISH}:{version_id}")
