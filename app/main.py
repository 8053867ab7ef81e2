"""Builds the web application from its parts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog
from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics, tracing
from app.access.router import router as audit_router
from app.access.token_cache import TokenCache
from app.alarms.receivers_router import router as alarm_receivers_router
from app.alarms.router import router as alarms_router
from app.arrivals.router import MAX_REPORT_BYTES
from app.arrivals.router import router as arrivals_router
from app.arrivals.serve import serve_arrivals
from app.articles.router import router as articles_router
from app.callback import dead_letters
from app.callback.build_record import decide_spooled
from app.callback.callbacks_router import router as callbacks_router
from app.callback.commit_batch import BatchCommitter
from app.callback.handovers import Handovers, wait_for_handover
from app.callback.inbox import Inbox, Undecided
from app.callback.record import Record
from app.callback.refusal_counts import RefusalCounts
from app.callback.router import CallbackEndpoint
from app.callback.sending import Sending
from app.callback.spool import Spool
from app.campaigns.codes_router import IMPORT_PATH, MAX_FILE_BYTES
from app.campaigns.notice_codes import NoticeCodes
from app.campaigns.router import router as campaigns_router
from app.chart_notes.router import router as chart_notes_router
from app.clock import Clock, SystemClock
from app.console.application import mount_console
from app.console.template_environment import compile_templates
from app.datacube.router import router as compare_router
from app.db.background_store import background_store
from app.db.clock_watch import following_database
from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS, open_database
from app.doctor.doctor import local_facts, make_doctor
from app.doctor.quota_router import router as quota_router
from app.doctor.router import router as doctor_router
from app.events.export_router import router as export_router
from app.events.router import router as events_router
from app.jssdk.router import router as jssdk_router
from app.jssdk.serve import set_page_signing
from app.links.go_router import router as go_router
from app.links.made_router import router as made_links_router
from app.links.router import router as links_router
from app.links.serve import serving_links
from app.menus.router import router as menus_router
from app.menus.serve import serve_menus
from app.menus.versions_router import router as menu_versions_router
from app.notices.router import router as notices_router
from app.notices.sends_router import router as notice_sends_router
from app.notices.serve import serve_notices
from app.notices.templates_router import router as templates_router
from app.ops import docs, gc_tuning, health, logging, metrics_endpoint, otel
from app.ops.api_body import BodyLimit
from app.ops.api_document import API_RESPONSES, build_document
from app.ops.api_gate import ApiGate
from app.ops.auth import require_caller
from app.ops.dead_processes import forget_dead_processes
from app.ops.error_handlers import add_error_handlers
from app.ops.mini_program_check import MiniProgramCheck
from app.ops.public_pages import PublicPages
from app.ops.request_trace import traced_request
from app.privacy.router import router as privacy_router
from app.qrcodes.lists_router import router as qrcode_lists_router
from app.qrcodes.picture_router import router as picture_router
from app.qrcodes.picture_router import serve_pictures
from app.qrcodes.router import router as qrcodes_router
from app.replies.open_windows import OpenWindows
from app.replies.retries_router import router as retries_router
from app.replies.router import router as replies_router
from app.replies.send_windows import Limits, limits_from
from app.rules.disk_copy import DiskCopy
from app.rules.follower_reader import FollowerFacts
from app.rules.http.router import router as rules_router
from app.rules.importing.limits import MAX_BYTES
from app.rules.live import LiveRules
from app.rules.matching.rule_set import compile_rules
from app.settings import Settings, load_settings
from app.stats.funnel_router import router as funnel_router
from app.stats.router import router as stats_router
from app.tags.router import router as tags_router
from app.tags.runs_router import router as tag_runs_router
from app.tags.serve import serve_tags
from app.tombstones.erasure_secret import erasure_secret
from app.unionid_resolution.router import router as identity_router
from app.users.recipients_router import router as recipients_router
from app.users.router import router as users_router
from app.webhooks.deliveries_router import router as deliveries_router
from app.webhooks.router import router as webhooks_router
from app.wechat.client import ApiClient
from app.wechat_client.problems import ApiProblems
from app.wechat_client.serve import calling_wechat
from app.worker import MAX_CALLS, Worker, make_jobs

API_ROUTERS = (
    rules_router,
    identity_router,
    arrivals_router,
    users_router,
    events_router,
    webhooks_router,
    deliveries_router,
    export_router,
    retries_router,
    replies_router,
    callbacks_router,
    stats_router,
    compare_router,
    chart_notes_router,
    funnel_router,
    recipients_router,
    privacy_router,
    links_router,
    made_links_router,
    articles_router,
    notices_router,
    notice_sends_router,
    templates_router,
    menus_router,
    menu_versions_router,
    campaigns_router,
    qrcode_lists_router,
    qrcodes_router,
    tags_router,
    tag_runs_router,
    alarm_receivers_router,
    alarms_router,
    audit_router,
    doctor_router,
    quota_router,
)

log = structlog.get_logger()


CALLBACK = "/callback/"
BODY_LIMITS = {
    "/api/rules/import": BodyLimit(MAX_BYTES, seconds=300),
    "/api/arrivals": BodyLimit(MAX_REPORT_BYTES, seconds=30),
    IMPORT_PATH: BodyLimit(MAX_FILE_BYTES, seconds=900),
}
# What remains of the usual ten seconds of an orchestrator after open requests and the last commit.
WORKER_STOP_SECONDS = 2.5


class CallbackBypass:
    """Passes callbacks to their endpoint without the middleware of the API.

    This saves a sixth of the time of a push.
    """

    def __init__(self, endpoint: CallbackEndpoint, rest: ASGIApp) -> None:
        self._endpoint = endpoint
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith(CALLBACK):
            # A slash at the end, which some write in the console, changes nothing.
            appid = scope["path"].removeprefix(CALLBACK).removesuffix("/")
            scope["path_params"] = {"appid": appid}
            await self._endpoint(scope, receive, send)
        elif scope["type"] == "http":
            await traced_request(self._rest, scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def build() -> FastAPI:
    """Return the application with the settings of the environment. uvicorn calls this."""
    settings = load_settings()
    logging.configure(settings)
    otel.record_traces(settings)
    return create_app(settings, SystemClock(), on_start=gc_tuning.freeze_heap)


def create_app(
    settings: Settings, clock: Clock, *, on_start: Callable[[], None] = lambda: None
) -> FastAPI:
    """Return the application. It opens no connection and no file until it starts.

    on_start: is called after the rules are loaded and before the first push.
    """
    database = open_database(settings.database_url)
    rules = LiveRules(
        database,
        on_reload=lambda succeeded: _count_reload(rules, succeeded),
        compile_set=partial(compile_rules, most=settings.rules_per_message),
        copy=DiskCopy(settings.data_dir),
        clock=clock,
    )
    facts = FollowerFacts(settings.database_url)
    limits = limits_from(settings)

    spool = (
        Spool(settings.data_dir, limit=settings.spool_max_callbacks)
        if settings.spool == "on"
        else None
    )
    sending = Sending(
        limits,
        Handovers(database.sessions, settings.queued_reply_delay),
        ApiProblems(database.sessions, clock, logs=True),
        OpenWindows(database.brief, limits),
    )
    inbox = Inbox(
        BatchCommitter(settings.database_url, wait_for_handover(settings.queued_reply_delay)),
        spool,
        decide=partial(_decide, rules, limits),
    )

    refusals = RefusalCounts(database.sessions, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        forget_dead_processes()
        await inbox.start()
        await _load_rules(rules)
        following_rules = asyncio.create_task(rules.run())
        async with following_database(database, clock):
            on_start()
            async with _worker(settings, app):
                async with (
                    background_store(refusals),
                    _serving_rooms(app.state),
                    _templates_compiled(settings),
                    _dead_letter_purge(app, spool),
                ):
                    yield
                await inbox.stop()
                await sending.handovers.stop()
        await rules.stop()
        await following_rules
        facts.close()
        await database.close_all()
        await asyncio.to_thread(tracing.close)

    app = docs.create_app(
        title="OA Bridge",
        version=version("oa-bridge"),
        description="What happens between a WeChat Official Account and its mini-programs.",
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.clock = clock
    app.state.database = database
    app.state.rules = rules
    app.state.inbox = inbox
    app.state.sending = sending
    app.state.mini_program_check = MiniProgramCheck(settings.mini_programs)
    app.state.refusals = refusals
    set_page_signing(app.state)
    serve_pictures(app.state)
    serve_arrivals(app.state)
    app.state.doctor = make_doctor(
        settings, database, clock, lambda: local_facts(settings.data_dir, inbox.spool_status())
    )
    endpoint = CallbackEndpoint(
        settings,
        inbox=inbox,
        rules=rules,
        facts=facts,
        clock=clock,
        sending=sending,
        refusals=refusals,
    )
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: CallbackBypass(endpoint, PublicPages(build()))  # type: ignore[method-assign]  # the only place before all middleware
    tokens = TokenCache(database.sessions, clock)
    app.add_middleware(
        ApiGate, settings=settings, tokens=tokens, clock=clock, body_limits=BODY_LIMITS
    )
    add_error_handlers(app)
    for router in API_ROUTERS:
        app.include_router(router, dependencies=[Depends(require_caller)], responses=API_RESPONSES)
    for router in (go_router, jssdk_router, picture_router, health.router, metrics_endpoint.router):
        app.include_router(router)
    if settings.console == "on":
        mount_console(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _decide(rules: LiveRules, limits: Limits, record: Record) -> Record:
    if rules.current is None:
        raise Undecided
    return decide_spooled(rules.current, record, limits)


@asynccontextmanager
async def _serving_rooms(state: State) -> AsyncIterator[None]:
    """Set what routes of links, notices, menus and tags need, and let it call WeChat."""
    async with calling_wechat(state, state.sending.problems), serving_links(state):
        serve_notices(state, NoticeCodes(erasure_secret(state.settings)))
        serve_menus(state)
        serve_tags(state)
        yield


@asynccontextmanager
async def _dead_letter_purge(app: FastAPI, spool: Spool | None) -> AsyncIterator[None]:
    """Run the purge of dead letters while the application runs."""
    if spool is None:
        yield
        return
    state, settings = app.state, app.state.settings
    purging = asyncio.create_task(
        dead_letters.run(
            dead_letters.DeadLetterPurge(
                state.inbox,
                spool,
                state.database.sessions,
                state.clock,
                erasure_secret(settings),
                timedelta(days=settings.retention_days),
            )
        )
    )
    yield
    purging.cancel()
    await asyncio.gather(purging, return_exceptions=True)


@asynccontextmanager
async def _templates_compiled(settings: Settings) -> AsyncIterator[None]:
    """Compile the templates of the console while the application runs."""
    if settings.console != "on":
        yield
        return
    compiling = asyncio.create_task(compile_templates(settings.console_time_zone))
    yield
    compiling.cancel()
    await asyncio.gather(compiling, return_exceptions=True)


@asynccontextmanager
async def _worker(settings: Settings, app: FastAPI) -> AsyncIterator[None]:
    """Run a worker in the web process if WITH_WORKER is set."""
    if not settings.with_worker:
        yield
        return
    async with ApiClient(MAX_CALLS) as client:
        jobs = make_jobs(settings, app.state.database, app.state.clock, client)
        worker = Worker(jobs, stop_seconds=WORKER_STOP_SECONDS)
        running = asyncio.create_task(worker.run())
        yield
        worker.stop()
        await running


async def _load_rules(rules: LiveRules) -> None:
    """Load the rules before the first push. Without the database their copy on disk is used."""
    try:
        await rules.load_once()
    except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
        log.warning("rules.not_loaded", error=type(error).__name__, reason=describe(error))
        await rules.load_copy()


def _count_reload(rules: LiveRules, succeeded: bool) -> None:
    metrics.RULES_RELOADS.labels("ok" if succeeded else "failed").inc()
    metrics.RULES_REJECTED.set(not succeeded)
    if rules.current is not None:
        metrics.RULES_LOADED.set(rules.current.count)
        metrics.RULES_LEFT_OUT.set(len(rules.current.left_out))
    copied_at = rules.copied_at
    metrics.RULES_COPIED_AT.set(0 if copied_at is None else copied_at.timestamp())


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema
