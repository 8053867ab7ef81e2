"""The job `identity.resolve`, which asks WeChat for UnionIDs, as it is enqueued."""

import time
from datetime import timedelta

from app.db.queue import NewJob

RESOLVE = "identity.resolve"

# A burst of new followers becomes one job and few calls, since one call takes up to 100 OpenIDs.
GATHER = timedelta(seconds=1)
# An account has at most so many jobs, queued and running: one for each turn.
TURNS = 4


def resolve_job(appid: str) -> NewJob:
    """Return the job that asks WeChat for the UnionIDs that an account still lacks.

    The job only names the account; which OpenIDs are due is read from `openids`. If the job of the
    same turn exists but has read them already, the sweep enqueues another one.
    """
    return _job(appid, int(time.time()) % TURNS, GATHER)


def next_resolve_job(appid: str, turn: int) -> NewJob:
    """Return the job that continues after a run; the next turn, since this one still runs."""
    return _job(appid, (turn + 1) % TURNS)


def _job(appid: str, turn: int, delay: timedelta | None = None) -> NewJob:
    payload = {"appid": appid, "turn": str(turn)}
    return NewJob(RESOLVE, payload, key=f"{RESOLVE}:{appid}:{turn}", delay=delay)
