"""`oa-bridge serve`: the web process, or several."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from app.cli import web_processes
from app.cli.folder import require_folder
from app.cli.listen_problem import listen_problem
from app.cli.start import prepare
from app.ops import open_files
from app.ops.gc_tuning import no_collection
from app.ops.metrics_folder import metrics_folder
from app.settings import Settings, SettingsError, load_settings

# An orchestrator usually grants ten seconds, and the application needs the rest to close. No
# callback takes longer than this.
STOP_SECONDS = 5

serve = typer.Typer(add_completion=False)


@serve.command()
def run(
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run the jobs in this process, too.")
    ] = False,
) -> None:
    """Receive callbacks and serve the API."""
    settings = load_settings()
    if settings.spool == "on":
        require_folder(settings.data_dir)
    settings = prepare(settings, uses_data_dir=settings.spool == "on")
    if with_worker:
        os.environ["WITH_WORKER"] = "true"
    # uvicorn stops on these signals and then raises them again for the handlers that were set
    # before. These must not end the process, since the embedded Postgres has to be stopped.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = config_of(settings)
    _require_port(settings)
    if settings.web_processes > 1:
        with _shared_metrics():
            _run_server(config)
    else:
        _run_server(config)


def config_of(settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    return uvicorn.Config(
        "app.main:build",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        # Anybody can write these headers: they count when a proxy of our own sends them.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=STOP_SECONDS,
        http="app.ops.http_protocol:BoundedProtocol",
        ws="none",
        limit_concurrency=open_files.connection_limit(settings.max_connections),
        headers=[("x-content-type-options", "nosniff")],
    )


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
        with no_collection():
            import_module("app.main")
        server = uvicorn.Server(config)
        server.run()
        started = server.started
    if not started:
        raise typer.Exit(STARTUP_FAILURE)
