"""Enqueues PgQueuer jobs in the caller's transaction. No other module enqueues jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import orjson
from pgqueuer import AsyncpgDriver, Queries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.tracing import current_parent, parent_of

# The names of the headers; the first one is that of W3C's Trace Context.
TRACE: Final = "traceparent"
ACCOUNT: Final = "account"
# How many jobs one transaction hastens: it must not keep all of a backlog locked.
MAX_HASTENED: Final = 1000


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to enqueue.

    name: as `app.worker` registers it. payload: ids only, never copies of rows. key: while a job
    with this key is queued or runs, no other one is added. delay: the job starts after it.
    priority: among jobs that are due, the highest starts first. callback_id: whose trace the job is
    part of; without it, that of the request or job that enqueues it. account: the AppID with whose
    jobs those of the others take turns.
    """

    name: str
    payload: Mapping[str, str]
    key: str | None = None
    delay: timedelta | None = None
    priority: int = 0
    callback_id: UUID | None = None
    account: str | None = None

    def headers(self) -> dict[str, str] | None:
        """Return the headers that name the trace that the job is part of, and its account."""
        parent = current_parent() if self.callback_id is None else parent_of(self.callback_id)
        named = {TRACE: parent, ACCOUNT: self.account}
        return {name: value for name, value in named.items() if value is not None} or None


async def enqueue_on(connection: asyncpg.Connection, jobs: Sequence[NewJob]) -> None:
    """Add jobs on a connection with an open transaction. They exist once it commits."""
    if not jobs:
        return
    await Queries(AsyncpgDriver(connection)).enqueue(
        [job.name for job in jobs],
        [orjson.dumps(job.payload) for job in jobs],
        [job.priority for job in jobs],
        [job.delay for job in jobs],
        [job.key for job in jobs],
        [job.headers() for job in jobs],
        on_conflict="skip",
    )


async def enqueue(session: AsyncSession, jobs: Sequence[NewJob]) -> None:
    """Add jobs in the session's transaction. They exist once it commits."""
    await enqueue_on(await raw_connection(session), jobs)


async def start_after(
    connection: asyncpg.Connection, keys: Sequence[str], delay: timedelta
) -> None:
    """Let jobs with these keys start after a delay from now, unless they were tried already."""
    await connection.execute(_START_AFTER, list(keys), delay)


_START_AFTER: Final = """
UPDATE pgqueuer SET execute_after = clock_timestamp() + $2::interval
WHERE dedupe_key = ANY($1::text[]) AND status = 'queued' AND attempts = 0
"""


async def hasten(session: AsyncSession, name: str, account: str) -> bool:
    """Let jobs of an account that wait for a later time start as soon as this commits.

    No more than MAX_HASTENED of them, those that are due first; return whether there may be others.
    """
    found = await session.execute(
        _HASTEN, {"name": name, "accounts": [account, ""], "most": MAX_HASTENED}
    )
    return len(found.all()) == MAX_HASTENED


# Jobs that older versions enqueued name no account.
_HASTEN: Final = text("""
UPDATE pgqueuer SET execute_after = now() WHERE id = ANY(ARRAY(
    SELECT id FROM pgqueuer
    WHERE entrypoint = :name AND status = 'queued' AND execute_after > now()
      AND COALESCE(headers ->> 'account', '') = ANY(CAST(:accounts AS text[]))
    ORDER BY execute_after LIMIT :most FOR UPDATE SKIP LOCKED
))
RETURNING id
""")


async def raw_connection(session: AsyncSession) -> asyncpg.Connection:
    """Return the session's asyncpg connection, with the session's transaction open on it."""
    # SQLAlchemy sends BEGIN with its first statement. Without this one, statements on the raw
    # connection would run outside the transaction, and a rollback would not undo them.
    await session.execute(text("SELECT 1"))
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    if connection is None:
        raise RuntimeError("the session's connection is closed")
    return connection
