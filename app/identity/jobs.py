"""The identity room's jobs as they are enqueued."""

import time
from datetime import timedelta

from app.db.queue import NewJob

RESOLVE = "identity.resolve"

# A burst of new followers becomes one job, and so few calls of up to 100 OpenIDs.
GATHER = timedelta(seconds=1)


def resolve_job(appid: str) -> NewJob:
    """Return the job that asks WeChat for the UnionIDs an account still lacks.

    It is a doorbell: what is to be asked stands in `openids`. One a second and account is
    enough; a ring that comes too late for the job of its second is made good by the sweep.
    """
    second = int(time.time())
    return NewJob(RESOLVE, {"appid": appid}, key=f"{RESOLVE}:{appid}:{second}", delay=GATHER)
