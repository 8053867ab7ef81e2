"""The job that asks WeChat for UnionIDs, as it is enqueued."""

import time
from datetime import timedelta

from app.db.queue import NewJob

RESOLVE = "identity.resolve"

# A burst of new followers becomes one job, and so few calls of up to 100 OpenIDs.
GATHER = timedelta(seconds=1)
# Jobs that an account has at most, queued and running.
TURNS = 4


def resolve_job(appid: str) -> NewJob:
    """Return the job that asks WeChat for the UnionIDs an account still lacks.

    It is a doorbell: what is to be asked stands in `openids`. A ring that comes too late for the
    job of its turn is made good by the sweep.
    """
    return _job(appid, int(time.time()) % TURNS, GATHER)


def next_resolve_job(appid: str, turn: int) -> NewJob:
    """Return the job that goes on after a run that had to stop; its own still counts as running."""
    return _job(appid, (turn + 1) % TURNS)


def _job(appid: str, turn: int, delay: timedelta | None = None) -> NewJob:
    payload = {"appid": appid, "turn": str(turn)}
    return NewJob(RESOLVE, payload, key=f"{RESOLVE}:{appid}:{turn}", delay=delay)
