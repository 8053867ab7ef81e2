"""The command `oa-bridge` with its sub-commands."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer
import uvicorn
import uvloop
from prometheus_client import start_http_server
from uvicorn.config import STARTUP_FAILURE

from app import tracing
from app.cli import web_processes
from app.cli.alarms import alarms
from app.cli.articles import articles
from app.cli.campaigns import campaigns
from app.cli.database import UNUSABLE, why_unusable
from app.cli.doctor import doctor
from app.cli.folder import require_folder
from app.cli.followers import followers
from app.cli.links import links
from app.cli.listen_problem import listen_problem
from app.cli.menus import menus
from app.cli.notices import notices
from app.cli.operators import operators
from app.cli.qrcodes import qrcodes
from app.cli.quota import quota
from app.cli.rules import rules
from app.cli.secrets import secrets
from app.cli.start_warnings import warn
from app.cli.tags import tags
from app.cli.tokens import tokens
from app.cli.users import users
from app.clock import SystemClock
from app.db import embedded
from app.db import migrate as migrations
from app.db.clock_watch import following_database
from app.db.engine import open_database
from app.ops import logging, open_files, otel
from app.ops.metrics_folder import metrics_folder
from app.settings import Settings, SettingsError, load_settings
from app.tombstones.erasure_secret import ErasureSecretUnreadable
from app.wechat.client import open_client
from app.worker import MAX_CALLS, Worker, make_jobs

# An orchestrator usually grants ten seconds, and the application needs the rest to close. No
# callback takes longer than this.
STOP_SECONDS = 5
FAILED = 1
# Commands that serve many requests and jobs, each with an id of its own.
LASTING = ("serve", "worker")
NEWER_SCHEMA = (
    "the database was migrated by a newer version of OA Bridge; install that version, or restore "
    "the backup of before"
)
NO_SIMULATOR = (
    "oa-bridge: the simulator is not installed here (the container image leaves it out); run pip "
    "install '.[embedded]' in a copy of the repository"
)

HELP = """OA Bridge joins a WeChat Official Account to its mini-programs.

Settings come from environment variables or from the file .env in this folder. Start with `migrate`,
then run `serve` and `worker`; /readyz says whether everything works.
"""

cli = typer.Typer(no_args_is_help=True, help=HELP, pretty_exceptions_enable=False)
cli.command()(doctor)
cli.add_typer(alarms, name="alarms")
cli.add_typer(articles, name="articles")
cli.add_typer(campaigns, name="campaigns")
cli.add_typer(followers, name="followers")
cli.add_typer(links, name="links")
cli.add_typer(menus, name="menus")
cli.add_typer(notices, name="notices")
cli.add_typer(operators, name="operators")
cli.add_typer(quota, name="quota")
cli.add_typer(qrcodes, name="qrcodes")
cli.add_typer(rules, name="rules")
cli.add_typer(secrets, name="secrets")
cli.add_typer(tags, name="tags")
cli.add_typer(tokens, name="tokens")
cli.add_typer(users, name="users")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oa-bridge {version('oa-bridge')}")
        raise typer.Exit


@cli.callback()
def _options(
    context: typer.Context,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand not in LASTING:
        context.with_resource(tracing.trace(None))


def main() -> None:
    """Run the command. Invalid settings end it with one line for each problem."""
    try:
        cli()
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"oa-bridge: {problem}", err=True)
        sys.exit(2)
    except ErasureSecretUnreadable as error:
        typer.echo(f"oa-bridge: {error}", err=True)
        sys.exit(FAILED)


@cli.command()
def serve(
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run the jobs in this process, too.")
    ] = False,
) -> None:
    """Receive callbacks and serve the API."""
    settings = load_settings()
    if settings.spool == "on":
        require_folder(settings.data_dir)
    settings = _ready(settings, uses_data_dir=settings.spool == "on")
    if with_worker:
        os.environ["WITH_WORKER"] = "true"
    # uvicorn stops on these signals and then raises them again for the handlers that were set
    # before. These must not end the process, since the embedded Postgres has to be stopped.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        "app.main:build",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        http="app.ops.http_protocol:BoundedProtocol",
        ws="none",
        limit_concurrency=open_files.connection_limit(settings.max_connections),
        headers=[("x-content-type-options", "nosniff")],
    )
    _require_port(settings)
    if settings.web_processes > 1:
        with _shared_metrics():
            _run_server(config)
    else:
        _run_server(config)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """Give the web processes a folder in which they share their metrics, unless there is one."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield
        return
    with metrics_folder() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        yield


def _require_port(settings: Settings) -> None:
    """Raise SettingsError if nobody can listen on HOST and PORT."""
    error = web_processes.wait_for_port(settings.host, settings.port)
    if error is not None:
        raise SettingsError([listen_problem(error, "PORT", settings.host, settings.port)])


def _run_server(config: uvicorn.Config) -> None:
    """Serve until a signal comes."""
    if config.workers > 1:
        processes = web_processes.WebProcesses(config, sockets=[config.bind_socket()])
        processes.run()
        started = not processes.failed
    else:
        server = uvicorn.Server(config)
        server.run()
        started = server.started
    if not started:
        raise typer.Exit(STARTUP_FAILURE)


@cli.command()
def worker() -> None:
    """Run the jobs: send replies and webhooks, resolve UnionIDs, erase personal data."""
    settings = _ready(load_settings(), uses_data_dir=False)
    otel.record_traces(settings)
    uvloop.run(_run_worker(settings))
    tracing.close()


@cli.command()
def migrate() -> None:
    """Migrate the database to the newest schema."""
    settings = _with_database(load_settings(with_media=False))
    done = _migrated(settings)
    for line in done:
        typer.echo(line)
    if not done:
        typer.echo(f"nothing to do: the database is at {migrations.newest()}, the newest schema")


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def simulate(context: typer.Context) -> None:
    """Simulate WeChat's servers on this machine, with the options of `python -m simulator`."""
    _require_simulator()
    # It is another program, because the service must not import the simulator. It takes the place
    # of this process, so that it ends with it.
    os.execv(sys.executable, [sys.executable, "-m", "simulator", *context.args])  # noqa: S606


def _ready(settings: Settings, *, uses_data_dir: bool) -> Settings:
    """Set up logging, and return settings with a database.

    The embedded Postgres is started and migrated, so that a first run needs no other command. An
    operator's own database is migrated only by `oa-bridge migrate`. uses_data_dir: whether the
    process has files in DATA_DIR even without the embedded Postgres.
    """
    otel.require_otel(settings)
    logging.configure(settings)
    is_embedded = not settings.database_url
    if is_embedded:
        settings = _with_database(settings)
        _migrated(settings)
    warn(settings, uses_data_dir=uses_data_dir or is_embedded)
    return settings


def _with_database(settings: Settings) -> Settings:
    if settings.database_url:
        return settings
    require_folder(settings.data_dir)
    # Web processes that uvicorn starts read their settings from the environment.
    url = os.environ["DATABASE_URL"] = embedded.start(settings.data_dir)
    return settings.model_copy(update={"database_url": url})


def _require_simulator() -> None:
    """End with one line if the simulator is not installed, as in the container image."""
    if find_spec("simulator") is None:
        typer.echo(NO_SIMULATOR, err=True)
        raise typer.Exit(FAILED)


def _migrated(settings: Settings) -> list[str]:
    """Migrate the database; return a line for each migration. Ends with one line if it fails."""
    try:
        return asyncio.run(_migrate(settings))
    except migrations.NewerSchema:
        reason = NEWER_SCHEMA
    except migrations.IndexesNotBuilt as error:
        cause = error.__cause__
        why = why_unusable(cause) if isinstance(cause, Exception) else "an index is missing"
        reason = f"{why}; the database is migrated, but an index is missing: run it again"
    except UNUSABLE as error:
        reason = f"{why_unusable(error)}; nothing was changed"
    typer.echo(f"oa-bridge: {reason}", err=True)
    raise typer.Exit(FAILED)


async def _migrate(settings: Settings) -> list[str]:
    # There is no time limit, since an index over a large table may take long.
    database = open_database(settings.database_url, command_timeout=None)
    try:
        return await migrations.upgrade(database.engine)
    finally:
        await database.close()


async def _run_worker(settings: Settings) -> None:
    if settings.worker_metrics_port:
        _serve_metrics(settings)
    database = open_database(settings.database_url)
    clock = SystemClock()
    async with open_client(MAX_CALLS) as client:
        running = Worker(make_jobs(settings, database, clock, client))
        loop = asyncio.get_running_loop()
        # Before the first connection, which may take its time: until then a signal kills.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.stop)
        async with following_database(database, clock):
            await running.run()
    await database.close()


def _serve_metrics(settings: Settings) -> None:
    try:
        start_http_server(settings.worker_metrics_port, addr=settings.host)
    except OSError as error:
        port = settings.worker_metrics_port
        raise SettingsError(
            [listen_problem(error, "WORKER_METRICS_PORT", settings.host, port)]
        ) from None
