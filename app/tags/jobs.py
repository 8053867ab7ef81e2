"""The job `tags.run`, which works on the runs of one account, as it is enqueued."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.db.queue import NewJob

RUN: Final = "tags.run"
# Replies and notices that people wait for go first.
IN_BULK: Final = -1


def run_job(appid: str, delay: timedelta | None = None) -> NewJob:
    """Return the job of an account. Which run it works on stands in the rows."""
    return NewJob(RUN, {"appid": appid}, delay=delay, priority=IN_BULK, account=appid)


def missing_job(appid: str) -> NewJob:
    """Return the same job for the sweep, which adds none while it has one in the queue."""
    return replace(run_job(appid), key=f"{RUN}:{appid}")
