"""The worker: all jobs and schedules by name, and the loop that runs them."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import orjson
import structlog
from pgqueuer import Job, PgQueuer, RetryRequested
from pgqueuer.core.executors import EntrypointExecutorParameters
from pgqueuer.models import Schedule

from app import tracing
from app.access.retention import prune as prune_audit_log
from app.access.sweep import sweep as sweep_sign_ins
from app.alarms import deliver as alarms
from app.alarms.jobs import SEND as SEND_ALARMS
from app.alarms.retention import prune as prune_alarms
from app.alarms.watch import watch as watch_alarms
from app.arrivals.settle import Settler
from app.callback import erase as inbox
from app.callback import plain_signatures, refusal_counts
from app.campaigns.count_invited import count as count_invited
from app.campaigns.give_code import CampaignCodes
from app.campaigns.notice_codes import NoticeCodes
from app.campaigns.sweep import sweep as sweep_campaigns
from app.clock import Clock
from app.codes import day_counts as code_counts
from app.codes.add import add_codes
from app.codes.jobs import ADD as ADD_CODES
from app.datacube.read import FigureReader
from app.datacube.read import read_due as read_figures
from app.db import day_counts
from app.db.diagnosis import NOT_MIGRATED, describe
from app.db.engine import Database
from app.db.job_driver import JobDriver
from app.db.job_executor import JobExecutor
from app.db.job_queries import JobQueries
from app.db.job_retention import prune as prune_job_log
from app.db.job_turns import JobTurns
from app.db.migrate import is_behind
from app.db.queue import enqueue
from app.db.worker_heartbeat import beat_forever
from app.doctor.doctor import Doctor, make_doctor
from app.doctor.jobs import CHECK as CHECK_DOCTOR
from app.doctor.jobs import first_check_job
from app.doctor.prober import Prober
from app.events import day_counts as subscription_counts
from app.funnel import count as funnel
from app.funnel.steps import basis_of as funnel_basis
from app.growth.count import count_new
from app.jssdk import renew as jssdk
from app.links import renew as links
from app.links.jobs import RENEW as RENEW_LINK
from app.log_limit import LogLimit
from app.menus import publish as menus
from app.menus import taps as menu_taps
from app.menus.jobs import PUBLISH as PUBLISH_MENU
from app.menus.wechat_menus import WeChatMenus
from app.notices import day_counts as notice_counts
from app.notices.jobs import SEND as SEND_NOTICES
from app.notices.jobs import SETTLE as SETTLE_NOTICES
from app.notices.send import Sender
from app.notices.send import send as send_notices
from app.notices.settle import settle as settle_notices
from app.notices.sweep import sweep as sweep_notices
from app.ops.database_state import DATABASE_ERRORS
from app.privacy.erase import erase
from app.privacy.jobs import CHECK, ERASE
from app.privacy.late_pushes import check
from app.privacy.plan import Eraser
from app.privacy.retention import retain
from app.privacy.sweep import sweep as sweep_erasures
from app.qrcodes import count as qrcode_figures
from app.qrcodes import renew as qrcodes
from app.qrcodes.jobs import RENEW as RENEW_QRCODE
from app.replies import bulk_retry
from app.replies.deliver import SEND, Delivery, deliver, name_of_worker
from app.replies.errors import TryLater
from app.replies.jobs import DELIVER, RETRY
from app.replies.send_batches import SendBatches
from app.replies.send_slots import SendSlots
from app.replies.send_windows import limits_from
from app.replies.sweep import requeue_urgent
from app.replies.sweep import sweep as sweep_replies
from app.rules.cooldown_sweep import sweep as sweep_firings
from app.rules.importing.import_document import Importer, import_document
from app.rules.importing.import_rules import ONE_AT_A_TIME
from app.rules.importing.jobs import IMPORT as IMPORT_RULES
from app.rules.importing.sweep import sweep as sweep_rule_imports
from app.secret_box import secret_box, webhook_secret_box
from app.settings import Settings
from app.tags import run as tags
from app.tags.jobs import RUN as RUN_TAGS
from app.tags.wechat_tags import WeChatTags
from app.tombstones.erasure_secret import erasure_secret
from app.unionid_resolution import resolve as unionids
from app.unionid_resolution.jobs import RESOLVE
from app.webhooks import deliver as webhooks
from app.webhooks.dispatch import dispatch as dispatch_webhooks
from app.webhooks.endpoint_url import endpoint_policy
from app.webhooks.jobs import DELIVER as DELIVER_WEBHOOK
from app.webhooks.retention import prune as prune_deliveries
from app.wechat.api import WeChatApi
from app.wechat.client import Client
from app.wechat.ids import AppId
from app.wechat_client.call_counts import prune as prune_call_counts
from app.wechat_client.call_rates import rates_of
from app.wechat_client.fetch_media import MediaFetcher, media_policy
from app.wechat_client.learned_rates import forget as forget_learned_rates
from app.wechat_client.media import Uploads
from app.wechat_client.tokens import AccessTokens

EVERY_MINUTE: Final = "* * * * *"
EVERY_TEN_MINUTES: Final = "*/10 * * * *"
EVERY_TWO_SECONDS: Final = "* * * * * */2"
# When a worker dies, its jobs are taken over after this. Short, since some windows last a minute.
HEARTBEAT = timedelta(seconds=10)
MAX_AT_ONCE: Final = 50
# Replies that one worker sends at once, and those of one account among them: one whose calls are
# slow leaves room for the others.
MAX_SENDS: Final = 100
MAX_SENDS_OF_ACCOUNT: Final = 50
# For so many sends at once one more reply is claimed, which is sent as soon as a call ends. More
# would be of no use, and whether they were sent would be unknown of all if the worker died.
SENDS_A_CLAIM: Final = 10
# A worker claims so many times the jobs that it can send at once: the next ones are at hand when a
# call ends, and their statements are shared.
JOBS_A_SEND: Final = 3
# Calls of WeChat's API that one worker makes at once: sends, and those of all other jobs.
MAX_CALLS: Final = 2 * MAX_SENDS
# Jobs of a name that run at once, in all workers together.
JOB_CONCURRENCY: Final = {
    RESOLVE: 4,
    DELIVER_WEBHOOK: 50,
    ERASE: 4,
    CHECK: 1,
    CHECK_DOCTOR: 1,
    RETRY: 2,
    RENEW_LINK: 2,
    SEND_NOTICES: 16,
    SETTLE_NOTICES: 2,
    PUBLISH_MENU: 2,
    RENEW_QRCODE: 2,
    RUN_TAGS: 2,
    SEND_ALARMS: 10,
    ADD_CODES: 2,
    IMPORT_RULES: 1,
}
# Jobs that one worker runs at once beside the sends: no name keeps another one waiting.
MAX_OTHER_JOBS: Final = sum(JOB_CONCURRENCY.values())
RECONNECT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 4.0
# A statement of the queue that takes longer has lost its connection.
ANSWER_SECONDS: Final = 10.0
LAST_STORE_SECONDS: Final = 1.0
STOP_SECONDS: Final = 5.0  # of the ten that an orchestrator usually grants

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Jobs:
    """All jobs with their dependencies. One object serves a worker process."""

    settings: Settings
    database: Database
    clock: Clock
    tokens: AccessTokens
    delivery: Delivery
    resolver: unionids.Resolver
    webhooks: webhooks.Dependencies
    eraser: Eraser
    prober: Prober
    doctor: Doctor
    renewer: links.Renewer
    ticket_renewer: jssdk.TicketRenewer
    sender: Sender
    publisher: menus.Publisher
    qr_renewer: qrcodes.QrRenewer
    figure_reader: FigureReader
    tagger: tags.Tagger
    settler: Settler
    teller: alarms.Teller
    importer: Importer

    async def deliver(self, payload: dict[str, str]) -> None:
        """`replies.deliver`: send the queued replies of one callback."""
        await deliver(self.delivery, UUID(payload["callback_id"]))

    async def retry(self, payload: dict[str, str]) -> None:
        """`replies.retry`: queue the replies of one bulk retry again."""
        await bulk_retry.run(self.database.sessions, self.clock, UUID(payload["retry_id"]))

    async def resolve(self, payload: dict[str, str]) -> None:
        """`identity.resolve`: request the UnionIDs that an account lacks."""
        await unionids.resolve(self.resolver, AppId(payload["appid"]), int(payload.get("turn", 0)))

    async def deliver_webhook(self, payload: dict[str, str]) -> None:
        """`feed.deliver`: send the due deliveries of one webhook."""
        await webhooks.deliver(self.webhooks, UUID(payload["webhook_id"]))

    async def erase(self, payload: dict[str, str]) -> None:
        """`privacy.erase`: carry out one erasure."""
        await erase(self.eraser, UUID(payload["erasure_id"]))

    async def check(self, _: dict[str, str]) -> None:
        """`privacy.check`: find pushes from before their sender was erased."""
        await check(self.eraser)

    async def check_doctor(self, _: dict[str, str]) -> None:
        """`doctor.check`: ask WeChat what only WeChat knows, and judge it."""
        await self.examine()

    async def examine(self) -> None:
        """Every ten minutes: the same. Findings that are new are logged."""
        if await self.prober.run():
            await self.doctor.findings()

    async def renew_link(self, payload: dict[str, str]) -> None:
        """`links.renew`: get the URL Link of one link from WeChat."""
        await links.renew(self.renewer, UUID(payload["link_id"]))

    async def send_notices(self, payload: dict[str, str]) -> None:
        """`notices.send`: send the notices of one request or audience."""
        await send_notices(self.sender, UUID(payload["send_id"]))

    async def settle_notices(self, payload: dict[str, str]) -> None:
        """`notices.settle`: join reports of deliveries to their notices."""
        callback_ids = [UUID(name) for name in payload["callback_ids"].split(",")]
        await settle_notices(self.database.sessions, callback_ids)

    async def publish_menu(self, payload: dict[str, str]) -> None:
        """`menus.publish`: bring one version of a menu to WeChat."""
        await menus.publish(self.publisher, UUID(payload["version_id"]))

    async def renew_qrcode(self, payload: dict[str, str]) -> None:
        """`qrcodes.renew`: get one QR code from WeChat."""
        await qrcodes.renew(self.qr_renewer, UUID(payload["qrcode_id"]))

    async def run_tags(self, payload: dict[str, str]) -> None:
        """`tags.run`: read tags from WeChat, and tag followers, for one account."""
        await tags.run(self.tagger, payload["appid"])

    async def send_alarms(self, payload: dict[str, str]) -> None:
        """`alarms.send`: tell one receiver of alarms what is to be told."""
        await alarms.deliver(self.teller, UUID(payload["receiver_id"]))

    async def watch_alarms(self) -> None:
        """Every minute: compare figures with thresholds, and enqueue what is to be told."""
        await watch_alarms(self.database.sessions, self.clock, self.settings)

    async def add_codes(self, payload: dict[str, str]) -> None:
        """`codes.add`: add the codes of one import to the pool of its campaign."""
        await add_codes(self.database.sessions, self.clock, UUID(payload["import_id"]))

    async def import_rules(self, payload: dict[str, str]) -> None:
        """`rules.import`: check one import of rules, or make its changes."""
        async with ONE_AT_A_TIME:
            await import_document(self.importer, UUID(payload["import_id"]))

    async def count_scans(self) -> None:
        """Every minute: count what people did by each QR code."""
        await qrcode_figures.count(self.database.sessions, self.clock)

    async def settle_arrivals(self) -> None:
        """Every minute: find by which door people came to the mini-programs."""
        await self.settler.settle()

    async def begin(self) -> None:
        """Do what a worker does once, when it starts."""
        await unionids.end_pauses(self.database.sessions, self.clock)
        async with self.database.sessions.begin() as session:
            await enqueue(session, [first_check_job()])
        await self.tokens.problems.try_soon()

    async def sweep(self) -> None:
        """Every minute: end overdue work, enqueue missing jobs, delete old rows."""
        await sweep_replies(self.database.sessions, self.clock, limits_from(self.settings))
        await bulk_retry.sweep(self.database.sessions, self.clock)
        await unionids.sweep(self.database.sessions, self.settings.accounts, self.clock)
        await sweep_firings(self.database.sessions, self.clock)
        await sweep_rule_imports(self.database.sessions, self.clock)
        await plain_signatures.sweep(self.database.sessions, self.clock)
        await refusal_counts.sweep(self.database.sessions, self.clock)
        await prune_deliveries(self.database.sessions, self.clock)
        await links.sweep(self.database.sessions, self.clock)
        await sweep_notices(self.database.sessions, self.clock)
        await menus.sweep(self.database.sessions, self.clock)
        await qrcodes.sweep(self.database.sessions, self.clock)
        await tags.sweep(self.database.sessions, self.clock)
        known_for = timedelta(days=self.settings.retention_days)
        await count_invited(self.database.sessions, erasure_secret(self.settings))
        await sweep_campaigns(self.database.sessions, self.clock, known_for)
        await menu_taps.sweep(self.database.sessions, self.clock)
        await sweep_erasures(self.eraser)
        await sweep_sign_ins(self.database.sessions, self.clock)
        kept_for = timedelta(days=self.settings.audit_retention_days)
        await prune_audit_log(self.database.sessions, self.clock, kept_for)
        await prune_alarms(self.database.sessions, self.clock)
        await prune_job_log(self.database.sessions, self.clock)
        await prune_call_counts(self.database.sessions, self.clock)
        await forget_learned_rates(self.database.sessions, self.clock)

    async def requeue_urgent(self) -> None:
        """Every two seconds: enqueue missing jobs of replies that expire soon."""
        await requeue_urgent(self.database.sessions, self.clock)

    async def retain(self) -> None:
        """Every minute: clear contents that are older than RETENTION_DAYS."""
        before = self.clock.now() - timedelta(days=self.settings.retention_days)
        await retain(self.database.sessions, inbox, before)

    async def count_growth(self) -> None:
        """Every minute: count new follows and unfollows into the sums of the figures."""
        await count_new(self.database.sessions)

    async def merge_day_counts(self) -> None:
        """Every minute: add up the counts by day of notices, answers to popups and codes."""
        statements = (notice_counts.MERGE, subscription_counts.MERGE, code_counts.MERGE)
        await day_counts.merge(self.database.sessions, statements)

    async def count_funnel(self) -> None:
        """Every minute: count touches and the members of cohorts."""
        await funnel.count(self.database.sessions, funnel_basis(self.settings))

    async def refresh_tokens(self) -> None:
        """Every minute: refresh access tokens that are about to expire."""
        await self.tokens.refresh_due()

    async def renew_tickets(self) -> None:
        """Every minute: get the jsapi_tickets that are missing or near their end."""
        await jssdk.renew_due(self.ticket_renewer)

    async def read_figures(self) -> None:
        """Every ten minutes: ask WeChat for its figures of the days that are over and ready."""
        await read_figures(self.figure_reader)

    async def dispatch_webhooks(self) -> None:
        """Every two seconds: find webhooks with something to send."""
        await dispatch_webhooks(self.database.sessions, self.clock)


def make_jobs(settings: Settings, database: Database, clock: Clock, client: Client) -> Jobs:
    """Return the jobs. client: for WeChat's API alone; the caller closes it."""
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
    tokens = AccessTokens(
        database, api, settings.accounts, clock, secret_box(settings), rates=rates_of(settings)
    )
    fetcher = MediaFetcher(media_policy(settings.media_allow_private))
    uploads = Uploads(database, api, tokens, clock, settings.media_path, fetcher)
    return Jobs(
        settings,
        database,
        clock,
        tokens,
        Delivery(
            database.sessions,
            SendBatches(database.brief, clock, name_of_worker(), limits_from(settings)),
            SendSlots(_with_next(MAX_SENDS), _with_next(MAX_SENDS_OF_ACCOUNT)),
            SendSlots(MAX_SENDS, MAX_SENDS_OF_ACCOUNT),
            api,
            tokens,
            uploads,
            clock,
            limits_from(settings),
            settings.uncertain_sends,
            codes=CampaignCodes(erasure_secret(settings)),
        ),
        unionids.Resolver(database.sessions, api, tokens, clock, erasure_secret(settings)),
        webhooks.Dependencies(
            database.sessions,
            clock,
            endpoint_policy(settings),
            webhook_secret_box(settings),
        ),
        make_eraser(settings, database, clock),
        Prober(settings, database, clock, api, tokens),
        make_doctor(settings, database, clock),
        links.Renewer(database.sessions, api, tokens, clock),
        jssdk.TicketRenewer(database, api, tokens, secret_box(settings), clock, settings),
        Sender(database.sessions, api, tokens, clock, NoticeCodes(erasure_secret(settings))),
        menus.Publisher(database.sessions, WeChatMenus(api, tokens), clock),
        qrcodes.QrRenewer(database.sessions, api, tokens, clock),
        FigureReader(database.sessions, api, tokens, clock, settings),
        tags.Tagger(database.sessions, WeChatTags(api, tokens), clock),
        Settler(database.sessions, clock, erasure_secret(settings)),
        alarms.Teller(database.sessions, clock, settings),
        Importer(database.sessions, clock, settings),
    )


def _with_next(sends: int) -> int:
    """Return how many replies are claimed for so many sends at once: those that are next, too."""
    return sends + math.ceil(sends / SENDS_A_CLAIM)


def make_eraser(settings: Settings, database: Database, clock: Clock) -> Eraser:
    """Return the eraser of people."""
    return Eraser(
        database.sessions,
        clock,
        settings.accounts,
        settings.on_unfollow,
        erasure_secret(settings),
        inbox,
    )


JobFunction = Callable[[dict[str, str]], Awaitable[None]]
Task = asyncio.Task[None]


def entrypoints(jobs: Jobs) -> dict[str, JobFunction]:
    """Return the function of each job, by the name under which it is enqueued."""
    return {
        DELIVER: jobs.deliver,
        RETRY: jobs.retry,
        RESOLVE: jobs.resolve,
        DELIVER_WEBHOOK: jobs.deliver_webhook,
        ERASE: jobs.erase,
        CHECK: jobs.check,
        CHECK_DOCTOR: jobs.check_doctor,
        RENEW_LINK: jobs.renew_link,
        SEND_NOTICES: jobs.send_notices,
        SETTLE_NOTICES: jobs.settle_notices,
        PUBLISH_MENU: jobs.publish_menu,
        RENEW_QRCODE: jobs.renew_qrcode,
        RUN_TAGS: jobs.run_tags,
        SEND_ALARMS: jobs.send_alarms,
        ADD_CODES: jobs.add_codes,
        IMPORT_RULES: jobs.import_rules,
    }


def schedules(jobs: Jobs) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the functions that run every minute, by name, in one worker at a time."""
    return {
        "sweep": jobs.sweep,
        "alarms.watch": jobs.watch_alarms,
        "qrcodes.count": jobs.count_scans,
        "arrivals.settle": jobs.settle_arrivals,
        "access.refresh": jobs.refresh_tokens,
        "jssdk.renew": jobs.renew_tickets,
        "privacy.retain": jobs.retain,
        "growth.count": jobs.count_growth,
        "day_counts.merge": jobs.merge_day_counts,
        "funnel.count": jobs.count_funnel,
    }


def register(queuer: PgQueuer, jobs: Jobs, tasks: set[Task]) -> None:
    """Register all jobs and schedules with PgQueuer. tasks: those of the jobs that run.

    JobExecutor says what happens to a job with an error.
    """
    for name, function in entrypoints(jobs).items():
        queuer.entrypoint(
            name,
            concurrency_limit=JOB_CONCURRENCY.get(name, 0),
            on_failure="hold",
            executor_factory=_executor,
        )(_job(function, tasks))
    for name, scheduled in schedules(jobs).items():
        queuer.schedule(name, EVERY_MINUTE)(_schedule(scheduled))
    queuer.schedule("doctor.examine", EVERY_TEN_MINUTES)(_schedule(jobs.examine))
    queuer.schedule("datacube.read", EVERY_TEN_MINUTES)(_schedule(jobs.read_figures))
    queuer.schedule("feed.ring", EVERY_TWO_SECONDS)(_schedule(jobs.dispatch_webhooks))
    queuer.schedule("replies.urgent", EVERY_TWO_SECONDS)(_schedule(jobs.requeue_urgent))


def _executor(parameters: EntrypointExecutorParameters) -> JobExecutor:
    return JobExecutor(parameters)


def _job(function: JobFunction, tasks: set[Task]) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        try:
            await function(orjson.loads(job.payload or b"{}"))
        except TryLater as later:
            raise RetryRequested(later.delay, later.reason) from None
        finally:
            tasks.discard(task)

    return run


def _schedule(function: Callable[[], Awaitable[None]]) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        with tracing.trace(None):  # most runs find nothing to do: no span
            await function()

    return run


class NotMigrated(Exception):
    """The database lacks migrations that this worker needs."""


class Worker:
    """Runs jobs until `stop`. It reconnects when the database was unavailable."""

    def __init__(
        self,
        jobs: Jobs,
        *,
        stop_seconds: float = STOP_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._jobs = jobs
        self._turns = JobTurns(
            DELIVER,
            slots=JOBS_A_SEND * MAX_SENDS,
            most=JOBS_A_SEND * MAX_SENDS_OF_ACCOUNT,
            paused=lambda: jobs.tokens.paused_accounts(SEND),
            limits=lambda: jobs.tokens.calls_at_hand(SEND),
        )
        self._stop_seconds = stop_seconds
        self._answer_seconds = answer_seconds
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None
        self._driver: JobDriver | None = None
        self._tasks: set[Task] = set()
        self._id = uuid4()
        self._last_reason = ""
        self._limit = LogLimit()
        self._begun = False

    async def run(self) -> None:
        """Run jobs. Returns after `stop`, when the running jobs have ended.

        Jobs that take longer than stop_seconds are cancelled; another worker takes them over.
        """
        storing = asyncio.create_task(self._jobs.tokens.keep_stored())
        running = asyncio.create_task(self._run())
        await self._stopping.wait()
        storing.cancel()
        done, _ = await asyncio.wait({running}, timeout=self._stop_seconds)
        if done:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_STORE_SECONDS):
                    await self._jobs.tokens.store()
        else:
            log.warning("worker.jobs_given_up")
            running.cancel()
            # Statements that wait for a hanging database end only with their connections.
            self._jobs.database.terminate()
            if self._driver is not None:
                self._driver.terminate()
            # PgQueuer waits for its jobs. It can't record any more that they were cancelled, so
            # they are taken over like those of a worker that died.
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._run_connected()
            except Exception as error:  # noqa: BLE001 - outermost: jobs must go on
                self._log_interruption(error)
                # The connections of the jobs are probably broken as well.
                await self._jobs.database.close()
                await self._jobs.database.engine.dispose(close=False)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), RECONNECT_SECONDS)

    @asynccontextmanager
    async def _heartbeat(self, driver: JobDriver) -> AsyncIterator[None]:
        """Say in the database that this worker runs jobs, while the block runs."""
        beating = asyncio.create_task(beat_forever(driver, self._id))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def _log_interruption(self, error: Exception) -> None:
        """Log why no job runs: at once if it is another reason, else once in a while."""
        if isinstance(error, NotMigrated):
            reason = NOT_MIGRATED
        elif isinstance(error, DATABASE_ERRORS):
            reason = describe(error)
        else:
            reason = type(error).__name__
        if reason != self._last_reason:
            self._last_reason, self._limit = reason, LogLimit()
        count = self._limit.take()
        if count is not None:
            log.warning(
                "worker.interrupted", error=type(error).__name__, reason=reason, times=count
            )

    def stop(self) -> None:
        """Start no more jobs. `run` returns when the running ones have ended.

        Replies that wait in this worker are left to others. Those that are claimed are given back:
        a call that began only when another one ends could last longer than the worker does.
        """
        self._stopping.set()
        self._jobs.delivery.slots.close()
        self._jobs.delivery.calls.close()
        if self._queuer is not None:
            self._queuer.shutdown.set()

    async def _run_connected(self) -> None:
        # Nothing else notices a connection that gets no answer after a fail-over.
        driver = JobDriver(self._jobs.database.url, self._answer_seconds)
        self._driver = driver
        try:
            await driver.open()
            if await is_behind(self._jobs.database.engine):
                raise NotMigrated
            queries = JobQueries(driver, self._turns)
            queuer = PgQueuer(driver, queries=queries)
            queries.running = queuer.qm.job_context
            register(queuer, self._jobs, self._tasks)
            self._queuer = queuer
            if self._stopping.is_set():  # `stop` was called while connecting
                return
            if not self._begun:
                await self._jobs.begin()
                self._begun = True
            log.info("worker.started")
            self._last_reason = ""
            async with self._heartbeat(driver):
                await queuer.run(
                    batch_size=MAX_AT_ONCE,
                    max_concurrent_tasks=MAX_OTHER_JOBS,
                    # A NOTIFY is lost while the listener reconnects; then jobs start after this.
                    dequeue_timeout=timedelta(seconds=LOOK_SECONDS),
                    heartbeat_timeout=HEARTBEAT,
                    log_aggregation_interval=timedelta(0),  # nobody reads its statistics
                )
        finally:
            await driver.close()
