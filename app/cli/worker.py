"""`oa-bridge worker`: the process that runs the jobs."""

import asyncio
import signal

import typer
import uvloop
from prometheus_client import start_http_server

from app import tracing
from app.cli.listen_problem import listen_problem
from app.cli.start import prepare
from app.clock import SystemClock
from app.db.clock_watch import following_database
from app.db.engine import open_database
from app.ops import otel
from app.settings import Settings, SettingsError, load_settings
from app.wechat.client import ApiClient
from app.worker import MAX_CALLS, Worker, make_jobs

worker = typer.Typer(add_completion=False)


@worker.command()
def run() -> None:
    """Run the jobs: send replies and webhooks, resolve UnionIDs, erase personal data."""
    settings = prepare(load_settings(), uses_data_dir=False)
    otel.record_traces(settings)
    uvloop.run(_run_worker(settings))
    tracing.close()


async def _run_worker(settings: Settings) -> None:
    if settings.worker_metrics_port:
        _serve_metrics(settings)
    database = open_database(settings.database_url)
    clock = SystemClock()
    async with ApiClient(MAX_CALLS) as client:
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
