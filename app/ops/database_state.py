"""Reads the state of the service from the database, for /metrics and /readyz.

Every statement is cheap even with a large backlog: it probes an index, or reads at most COUNTED
rows. Ages are measured by the database's clock, which also decides which jobs are due.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.pools import Pool, read_pools
from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS, Database
from app.db.worker_heartbeat import BEAT_SECONDS
from app.wechat_client.learned_rate_store import SlowedRate, read_slowed
from app.wechat_client.quota_store import QuotaUse, read_reached_rates, read_uses

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS: Final = 1.0

COUNTED: Final = 100_000

# A worker that has not been seen for so long does not run.
ABSENT_SECONDS: Final = 3 * BEAT_SECONDS

# While connecting, the driver's errors are raised; afterwards, those of SQLAlchemy.
DATABASE_ERRORS: Final = (*UNAVAILABLE_ERRORS, SQLAlchemyError)

JOBS = text(
    "SELECT entrypoint, status::text, count(*) FROM "
    "(SELECT entrypoint, status FROM pgqueuer LIMIT :counted) AS counted GROUP BY 1, 2"
)

# A loose index scan: one probe per entrypoint, where min() would read every waiting job.
QUEUE_AGES = text("""
WITH RECURSIVE waiting AS (
    (SELECT entrypoint FROM pgqueuer WHERE status = 'queued' ORDER BY entrypoint LIMIT 1)
    UNION ALL
    SELECT (
        SELECT entrypoint FROM pgqueuer
        WHERE status = 'queued' AND entrypoint > waiting.entrypoint
        ORDER BY entrypoint LIMIT 1
    )
    FROM waiting WHERE waiting.entrypoint IS NOT NULL
)
SELECT entrypoint, (
    SELECT extract(epoch FROM greatest(now() - execute_after, interval '0'))::float8
    FROM pgqueuer
    WHERE status = 'queued' AND entrypoint = waiting.entrypoint
    ORDER BY execute_after LIMIT 1
)
FROM waiting WHERE entrypoint IS NOT NULL
""")

# Literals, so that the planner can use the partial indexes on status.
REPLIES = text("""
SELECT 'pending', count(*)
FROM (SELECT FROM replies WHERE status = 'pending' LIMIT :counted) AS counted
UNION ALL
SELECT 'sending', count(*)
FROM (SELECT FROM replies WHERE status = 'sending' LIMIT :counted) AS counted
UNION ALL
SELECT 'held', count(*)
FROM (SELECT FROM replies WHERE status = 'held' LIMIT :counted) AS counted
UNION ALL
SELECT 'failed', count(*)
FROM (SELECT FROM replies WHERE status = 'failed' LIMIT :counted) AS counted
""")

# An id begins with the time of the push in milliseconds.
FAILED_LATELY = text("""
SELECT count(*) FROM (
    SELECT FROM replies WHERE status = 'failed' AND id >= CAST(
        lpad(to_hex(CAST(extract(epoch FROM now() - interval '1 day') * 1000 AS bigint)), 12, '0')
        || repeat('0', 20) AS uuid
    ) LIMIT :counted
) AS counted
""")

TOKENS = text("""
SELECT appid,
       extract(epoch FROM now() - obtained_at)::float8,
       extract(epoch FROM expires_at - now())::float8
FROM access_tokens
""")

# A ping is no event, so its position 0 is left out. The literal status lets the planner use the
# partial index.
WEBHOOKS = text("""
SELECT id::text,
       CASE WHEN enabled THEN 'enabled' WHEN disabled_reason IS NULL THEN 'off' ELSE 'disabled' END,
       GREATEST(reached - cursor, 0),
       extract(epoch FROM GREATEST(now() - (
           SELECT created_at FROM webhook_deliveries
           WHERE webhook_id = webhooks.id AND status = 'waiting' AND position > 0
           ORDER BY position LIMIT 1
       ), interval '0'))::float8
FROM webhooks, oa_bridge_settled_position() AS reached
""")

UNIDENTIFIED = text("""
SELECT count(*) FROM (
    SELECT FROM erasures WHERE needs_person IS NOT NULL AND finished_at IS NULL LIMIT :counted
) AS counted
""")

WORKERS = text("""
SELECT count(*) FILTER (WHERE seen_at > now() - make_interval(secs => :absent)),
       extract(epoch FROM now() - max(seen_at))::float8
FROM worker_heartbeats
""")

# A problem that nobody met for a day may be over: its API was perhaps not called since.
PROBLEMS = text("""
SELECT appid, api, errcode, errmsg, rid, since, seen_at, count, probe_at FROM api_problems
WHERE seen_at > now() - interval '1 day' AND appid = ANY(CAST(:appids AS text[]))
  -- An account that is not verified has no right to figures, and works without them.
  AND (errcode IS DISTINCT FROM 48001 OR api NOT LIKE 'datacube/%')
ORDER BY appid, api LIMIT 500
""")

PAUSES = text("""
SELECT appid, api, errcode, extract(epoch FROM now() - since)::float8
FROM api_problems WHERE probe_at IS NOT NULL ORDER BY appid, api LIMIT 500
""")

BINDINGS = text("""
SELECT account.appid, seen.yielded, seen.refused
FROM unnest(CAST(:appids AS text[])) AS account (appid)
CROSS JOIN LATERAL (
    SELECT bool_or(unionid IS NOT NULL) AS yielded,
           bool_or(resolve_reason = 'not_bound') AS refused
    FROM (
        SELECT unionid, resolve_reason FROM openids WHERE appid = account.appid LIMIT 1000
    ) AS counted
) AS seen
""")


@dataclass(frozen=True, slots=True)
class TokenTimes:
    """Times of one access token, in seconds. expires_in is negative once it has expired."""

    age: float
    expires_in: float


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A webhook. state: enabled, off (by an operator) or disabled (by the service, after failures).

    behind: number of positions after its cursor. lag: seconds since the oldest waiting delivery
    was made; 0 if none waits.
    """

    state: str
    behind: int
    lag: float


@dataclass(frozen=True, slots=True)
class WorkerState:
    """The workers. running: how many. idle: seconds since one was seen; None: none ever ran."""

    running: int = 0
    idle: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What WeChat refuses an account. errcode: None if WeChat gave none. api: which calls.

    count: how many failed. paused_until: when one call is let through; None if they go on.
    """

    appid: str
    api: str
    errcode: int | None
    errmsg: str
    rid: str | None
    since: datetime
    seen_at: datetime
    count: int
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PausedCalls:
    """Calls that wait since WeChat refuses them, or answers none of them. seconds: for how long.

    errcode: None if no answer came.
    """

    appid: str
    api: str
    errcode: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at one time. jobs: (entrypoint, status) → number.

    queue_ages: entrypoint → seconds that its oldest due job has waited. replies: status that is
    not final, or `failed` → number. failed_lately: failed replies to pushes of the last day.
    tokens: AppID → times. webhooks: by id. unidentified: erasures that wait for a person to find
    out who is meant.
    """

    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    queue_ages: Mapping[str, float] = field(default_factory=dict)
    replies: Mapping[str, int] = field(default_factory=dict)
    failed_lately: int = 0
    tokens: Mapping[str, TokenTimes] = field(default_factory=dict)
    webhooks: Mapping[str, WebhookState] = field(default_factory=dict)
    unidentified: int = 0
    paused: Sequence[PausedCalls] = ()
    workers: WorkerState = field(default_factory=WorkerState)


async def fault(database: Database, seconds: float | None = None) -> str | None:
    """Return why the database does not answer in TIMEOUT_SECONDS, with the fix; None if it does."""
    try:
        async with asyncio.timeout(seconds or TIMEOUT_SECONDS):
            await database.ping()
    except DATABASE_ERRORS as error:
        return describe(error)
    return None


async def read(database: Database, seconds: float | None = None) -> Snapshot | None:
    """Return the present state; None if it can't be read in TIMEOUT_SECONDS."""
    try:
        async with (
            asyncio.timeout(seconds or TIMEOUT_SECONDS),
            database.engine.connect() as connection,
        ):
            return await _read(connection)
    except DATABASE_ERRORS as error:
        log.warning("the database's state can't be read", reason=describe(error))
        return None


async def problems(database: Database, appids: Sequence[str]) -> Sequence[Problem]:
    """Return what WeChat refuses these accounts; nothing if it can't be read within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.engine.connect() as connection:
            found = await connection.execute(PROBLEMS, {"appids": list(appids)})
            return [Problem(*row) for row in found]
    except DATABASE_ERRORS as error:
        log.warning("the accounts' problems can't be read", reason=describe(error))
        return []


async def quotas(database: Database, appids: Sequence[str], now: datetime) -> Sequence[QuotaUse]:
    """Return how much of the quotas is used; nothing if it can't be read within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.sessions() as session:
            return await read_uses(session, appids, now)
    except DATABASE_ERRORS as error:
        log.warning("the accounts' quotas can't be read", reason=describe(error))
        return []


async def reached_rates(
    database: Database, appids: Sequence[str], now: datetime
) -> Sequence[tuple[str, str]]:
    """Return the accounts and APIs whose rate is reached; none if it can't be read in a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.sessions() as session:
            return await read_reached_rates(session, appids, now)
    except DATABASE_ERRORS as error:
        log.warning("the rates of calls can't be read", reason=describe(error))
        return []


async def slowed_rates(
    database: Database, appids: Sequence[str], now: datetime
) -> Sequence[SlowedRate]:
    """Return the rates that were learned from 45011; none if they can't be read in a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.sessions() as session:
            return await read_slowed(session, appids, now)
    except DATABASE_ERRORS as error:
        log.warning("the rates of calls can't be read", reason=describe(error))
        return []


async def pools(database: Database, now: datetime) -> Sequence[Pool]:
    """Return the pools of campaigns that run; nothing if they can't be read within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.sessions() as session:
            return await read_pools(session, now)
    except DATABASE_ERRORS as error:
        log.warning("the codes of campaigns can't be read", reason=describe(error))
        return []


async def bindings(database: Database, appids: Sequence[str]) -> dict[str, bool | None]:
    """Return which OAs are bound to an Open Platform account: WeChat sends UnionIDs for those.

    None: no UnionID was requested yet, or the database can't be read within a second.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.engine.connect() as connection:
            found = await connection.execute(BINDINGS, {"appids": list(appids)})
            return {appid: _is_bound(yielded, refused) for appid, yielded, refused in found}
    except DATABASE_ERRORS as error:
        log.warning("the accounts' state can't be read", reason=describe(error))
        return dict.fromkeys(appids)


def _is_bound(yielded: bool | None, refused: bool | None) -> bool | None:
    if yielded:
        return True
    return False if refused else None


async def _read(connection: AsyncConnection) -> Snapshot:
    bound = {"counted": COUNTED}
    jobs = await connection.execute(JOBS, bound)
    ages = await connection.execute(QUEUE_AGES)
    replies = await connection.execute(REPLIES, bound)
    failed_lately = await connection.scalar(FAILED_LATELY, bound)
    tokens = await connection.execute(TOKENS)
    webhooks = await connection.execute(WEBHOOKS)
    unidentified = await connection.scalar(UNIDENTIFIED, bound)
    paused = await connection.execute(PAUSES)
    return Snapshot(
        jobs={(entrypoint, status): count for entrypoint, status, count in jobs},
        queue_ages={row[0]: row[1] for row in ages},
        replies={row[0]: row[1] for row in replies},
        failed_lately=failed_lately or 0,
        tokens={appid: TokenTimes(age, expires_in) for appid, age, expires_in in tokens},
        webhooks={name: WebhookState(state, behind, lag) for name, state, behind, lag in webhooks},
        unidentified=unidentified or 0,
        paused=[PausedCalls(*row) for row in paused],
        workers=await read_workers(connection),
    )


async def read_workers(connection: AsyncConnection) -> WorkerState:
    """Return how many workers run, and since when none has."""
    return WorkerState(*(await connection.execute(WORKERS, {"absent": ABSENT_SECONDS})).one())
