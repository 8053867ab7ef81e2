"""Claims the jobs of one name so that accounts take turns.

PgQueuer claims by priority and id: a hundred thousand jobs of one account would keep those of the
others waiting. Here the next job is one of the account of which this worker runs the fewest; among
those the most urgent one is first, then that of the account that has waited longest for its turn.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from pgqueuer.domain.models import Job
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId

from app.db.job_driver import JobDriver
from app.db.queue import ACCOUNT

# The accounts that have queued jobs, each found with one look into the index. The word between
# quotes is `ACCOUNT`: the index of the migration has it, too.
_WAITING: Final = """
WITH RECURSIVE accounts AS (
    (SELECT COALESCE(headers ->> 'account', '') AS account FROM pgqueuer
     WHERE entrypoint = $1 AND status = 'queued' ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (SELECT COALESCE(q.headers ->> 'account', '') FROM pgqueuer q
            WHERE q.entrypoint = $1 AND q.status = 'queued'
              AND COALESCE(q.headers ->> 'account', '') > accounts.account
            ORDER BY 1 LIMIT 1)
    FROM accounts WHERE accounts.account IS NOT NULL
), waiting AS MATERIALIZED (
    SELECT account FROM accounts WHERE account IS NOT NULL AND account <> ALL($2::text[])
)
"""

_LOOK: Final = (
    _WAITING  # noqa: S608 - constants of this module
    + """
SELECT EXISTS (
    SELECT FROM waiting CROSS JOIN LATERAL (
        SELECT FROM pgqueuer q
        WHERE q.entrypoint = $1 AND q.status = 'queued'
          AND COALESCE(q.headers ->> 'account', '') = waiting.account
          AND (q.execute_after <= now() OR NOT $3)
        LIMIT 1
    ) job
) AS found
"""
)

# Of each account no more are locked than its share, so that other workers find the rest. A stale
# job is one whose worker died.
_CLAIM: Final = (
    _WAITING  # noqa: S608 - constants of this module
    + """
, share AS (
    SELECT GREATEST(1, ($3::bigint + count(*) - 1) / GREATEST(count(*), 1)) AS most FROM waiting
), due AS (
    SELECT job.id, job.priority, COALESCE(load.served, 0) AS served,
           COALESCE(load.running, 0)
               + row_number() OVER (PARTITION BY waiting.account ORDER BY job.priority DESC, job.id)
               AS turn,
           LEAST(load.most, $8) AS most
    FROM waiting
    LEFT JOIN unnest($4::text[], $5::bigint[], $6::bigint[], $10::bigint[])
        AS load(account, running, served, most)
        USING (account)
    CROSS JOIN LATERAL (
        SELECT q.id, q.priority FROM pgqueuer q
        WHERE q.entrypoint = $1 AND q.status = 'queued'
          AND COALESCE(q.headers ->> 'account', '') = waiting.account
          AND q.execute_after <= now()
        ORDER BY q.priority DESC, q.id
        LIMIT (SELECT most FROM share)
        FOR UPDATE SKIP LOCKED
    ) job
), stale AS (
    SELECT id, priority FROM pgqueuer
    WHERE entrypoint = $1 AND status = 'picked' AND heartbeat < now() - $7::interval
    ORDER BY priority DESC, id LIMIT $3 FOR UPDATE SKIP LOCKED
), chosen AS (
    SELECT id FROM (
        SELECT id, priority, 0 AS served, 0 AS turn FROM stale
        UNION ALL
        SELECT id, priority, served, turn FROM due WHERE turn <= most
    ) jobs
    ORDER BY turn, priority DESC, served, id LIMIT $3
), claimed AS (
    UPDATE pgqueuer
    SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = $9
    WHERE id IN (SELECT id FROM chosen)
    RETURNING *
), logged AS (
    INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)
    SELECT id, status, entrypoint, priority FROM claimed
)
SELECT * FROM claimed
"""
)


def account_of(job: Job) -> str:
    """Return the account whose job this is; those that older versions enqueued name none."""
    return str((job.headers or {}).get(ACCOUNT, ""))


class JobTurns:
    """Claims the jobs of one name for one worker.

    slots: how many jobs of the name run at once. most: of one account, so that one whose calls are
    slow leaves room for the others. paused: returns the accounts whose jobs would only wait.
    limits: returns how many jobs of an account are of use at once, where that is known to be less.
    """

    def __init__(
        self,
        name: str,
        *,
        slots: int,
        most: int,
        paused: Callable[[], Collection[str]] = tuple,
        limits: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self.name = QueueEntrypoint(name)
        self._slots = slots
        self._most = most
        self._paused = paused
        self._limits = limits
        self._accounts: dict[JobId, str] = {}
        self._served: dict[str, int] = {}
        self._claims = 0

    async def claim(
        self,
        driver: JobDriver,
        running: Mapping[JobId, object],
        worker_id: QueueManagerId,
        heartbeat_timeout: timedelta,
    ) -> Sequence[Job]:
        """Claim as many due jobs as there are free slots. running: what the worker runs, by id."""
        self._accounts = {id: name for id, name in self._accounts.items() if id in running}
        free = self._slots - len(self._accounts)
        if free <= 0:
            return ()
        load = Counter(self._accounts.values())
        limits = self._limits()
        accounts = list(self._served.keys() | load.keys() | limits.keys())
        rows = await driver.fetch(
            _CLAIM,
            self.name,
            list(self._paused()),
            free,
            accounts,
            [load[account] for account in accounts],
            [self._served.get(account, 0) for account in accounts],
            heartbeat_timeout,
            self._most,
            worker_id,
            [limits.get(account) for account in accounts],
        )
        jobs = [Job.model_validate(row) for row in rows]
        self._claims += 1
        for job in jobs:
            self._accounts[job.id] = account_of(job)
            self._served[account_of(job)] = self._claims
        return jobs

    async def are_waiting(self, driver: JobDriver, *, due: bool) -> bool:
        """Return whether jobs are queued that this worker would run. due: and may start now."""
        rows = await driver.fetch(_LOOK, self.name, list(self._paused()), due)
        return bool(rows[0]["found"])
