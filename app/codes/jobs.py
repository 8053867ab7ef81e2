"""The job `codes.add`, which adds the codes of one import to its pool, as it is enqueued."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from app.db.queue import NewJob

ADD: Final = "codes.add"


def add_job(import_id: UUID) -> NewJob:
    """Return the job of one import. How far it is stands in the row."""
    return NewJob(ADD, {"import_id": str(import_id)})


def missing_job(import_id: UUID) -> NewJob:
    """Return the same job for the sweep, which adds none while it has one in the queue."""
    return replace(add_job(import_id), key=f"{ADD}:{import_id}")
