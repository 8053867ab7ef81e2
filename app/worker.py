"""The worker: every job and schedule by name, and how they are run."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import httpx
import orjson
import structlog
from pgqueuer import DatabaseRetryEntrypointExecutor, Job, PgQueuer, RetryRequested
from pgqueuer.models import Schedule

from app.access.media import Uploads
from app.access.token import AccessTokens
from app.clock import Clock
from app.db.engine import Database
from app.identity import resolve as identity
from app.identity.jobs import RESOLVE
from app.replies.deliver import Delivery, deliver
from app.replies.errors import TryLater
from app.replies.jobs import DELIVER
from app.replies.sweep import sweep as sweep_replies
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat.ids import AppId

EVERY_MINUTE: Final = "* * * * *"
# A job whose worker died is taken over after this; short, since some windows last a minute.
HEARTBEAT = timedelta(seconds=10)
MOST_AT_ONCE: Final = 50
RECONNECT_SECONDS: Final = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the jobs work with; one of it serves a whole worker process."""

    settings: Settings
    database: Database
    clock: Clock
    tokens: AccessTokens
    delivery: Delivery
    resolver: identity.Resolver

    async def deliver(self, payload: dict[str, str]) -> None:
        """`replies.deliver`: send the queued replies of one callback."""
        await deliver(self.delivery, UUID(payload["callback_id"]))

    async def resolve(self, payload: dict[str, str]) -> None:
        """`identity.resolve`: ask for the UnionIDs that an account lacks."""
        await identity.resolve(self.resolver, AppId(payload["appid"]))

    async def sweep(self) -> None:
        """Every minute: end what is overdue, find what no job attends to."""
        await sweep_replies(self.database.sessions, self.clock)
        await identity.sweep(self.database.sessions, self.settings.accounts, self.clock)

    async def refresh_tokens(self) -> None:
        """Every minute: refresh access tokens ahead of their end."""
        await self.tokens.refresh_due()


def make_jobs(
    settings: Settings, database: Database, clock: Clock, client: httpx.AsyncClient
) -> Jobs:
    """Wire the jobs. client: for WeChat's API and for pictures; closed by the caller."""
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
    tokens = AccessTokens(database, api, settings.accounts, clock)
    uploads = Uploads(database, api, tokens, clock, settings.media_path, client)
    return Jobs(
        settings,
        database,
        clock,
        tokens,
        Delivery(database.sessions, api, tokens, uploads, clock),
        identity.Resolver(database.sessions, api, tokens, clock),
    )


JobFunction = Callable[[dict[str, str]], Awaitable[None]]


def entrypoints(jobs: Jobs) -> dict[str, JobFunction]:
    """Return every job by the name under which it is enqueued."""
    return {DELIVER: jobs.deliver, RESOLVE: jobs.resolve}


def schedules(jobs: Jobs) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return what runs every minute, by name, in one worker at a time."""
    return {"sweep": jobs.sweep, "access.refresh": jobs.refresh_tokens}


def register(queuer: PgQueuer, jobs: Jobs) -> None:
    """Make every job and schedule known to PgQueuer.

    An unexpected error is tried again with growing pauses, then held for an operator.
    """
    for name, function in entrypoints(jobs).items():
        queuer.entrypoint(
            name, on_failure="hold", executor_factory=DatabaseRetryEntrypointExecutor
        )(_job(function))
    for name, scheduled in schedules(jobs).items():
        queuer.schedule(name, EVERY_MINUTE)(_schedule(scheduled))


def _job(function: JobFunction) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        try:
            await function(orjson.loads(job.payload or b"{}"))
        except TryLater as later:
            raise RetryRequested(later.delay, later.reason) from later

    return run


def _schedule(function: Callable[[], Awaitable[None]]) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        await function()

    return run


class Worker:
    """Runs jobs until `stop`; survives the loss of the database."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None

    async def run(self) -> None:
        """Run jobs; returns after `stop`, with the jobs at hand done."""
        while not self._stopping.is_set():
            try:
                await self._run_connected()
            except Exception as error:  # noqa: BLE001 - outermost: jobs must go on
                log.warning("worker.interrupted", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), RECONNECT_SECONDS)

    def stop(self) -> None:
        """Take no more jobs; `run` returns when those at hand are done."""
        self._stopping.set()
        if self._queuer is not None:
            self._queuer.shutdown.set()

    async def _run_connected(self) -> None:
        async with asyncpg.create_pool(self._jobs.database.url, min_size=2, max_size=6) as pool:
            queuer = PgQueuer.from_asyncpg_pool(pool)
            register(queuer, self._jobs)
            self._queuer = queuer
            log.info("worker.started")
            await queuer.run(
                batch_size=MOST_AT_ONCE,
                max_concurrent_tasks=MOST_AT_ONCE * 2,
                dequeue_timeout=timedelta(seconds=5),
                heartbeat_timeout=HEARTBEAT,
                shutdown_on_listener_failure=True,
            )
