"""The job `doctor.check`, which asks WeChat on demand, as it is enqueued."""

from datetime import timedelta

from app.db.queue import NewJob

CHECK = "doctor.check"


def check_job() -> NewJob:
    """Return the job. While one waits or runs, no other one is added."""
    return NewJob(CHECK, {}, key=CHECK)


def first_check_job() -> NewJob:
    """Return the job of a worker that has just started: nobody waits ten minutes for a result.

    It starts a little later, since the replies that have piled up come first.
    """
    return NewJob(CHECK, {}, key=CHECK, delay=timedelta(seconds=5))
