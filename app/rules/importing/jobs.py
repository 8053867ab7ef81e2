"""The job `rules.import`, which carries one import of the console on, as it is enqueued."""

from typing import Final
from uuid import UUID

from app.db.queue import NewJob

IMPORT: Final = "rules.import"


def import_job(import_id: UUID, version: int | None) -> NewJob:
    """Return the job that checks an import, or makes the changes of its preview.

    version: of the preview; None: there is none yet. The key names it, so that a job that is about
    to end does not keep the next one from being enqueued.
    """
    key = f"{IMPORT}:{import_id}:{'check' if version is None else version}"
    return NewJob(IMPORT, {"import_id": str(import_id)}, key=key)
