"""The job `doctor.check`, which asks WeChat on demand, as it is enqueued."""

from app.db.queue import NewJob

CHECK = "doctor.check"


def check_job() -> NewJob:
    """Return the job. While one waits or runs, no other one is added."""
    return NewJob(CHECK, {}, key=CHECK)
