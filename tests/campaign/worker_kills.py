"""kill -9 of workers in the middle of sends: what is lost, what comes twice, what is told of it.

`python -m tests.campaign.worker_kills --rounds 200`. In each round replies are owed, a worker
sends them, and is killed once a drawn number of them has reached WeChat. Another one takes over
what it left behind, until nothing waits; it is the victim of the next round.
"""

import asyncio
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import httpx
import typer

import app.worker
from app.clock import SystemClock
from app.db import embedded, migrate
from app.db.engine import connect, open_database
from app.settings import Settings
from app.wechat.client import ApiClient
from app.worker import MAX_CALLS, Worker, make_jobs
from benchmarks.delivery_fill import Backlog
from tests.processes import free_port
from tests.service import APPID, settings_for

ROOT: Final = Path(__file__).parents[2]
LATENCY_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.05
# How long a worker may seem to be alive after its end, and be waited for then.
STALE_AFTER: Final = timedelta(seconds=1)
SENDS: Final = 4  # at once
TAKEOVER_SECONDS: Final = 0.5
ROUND_SECONDS: Final = 300.0

# One for each process: what is looked at often must not take the CPU that the worker needs.
_CLIENT: Final = httpx.Client(timeout=60)

_ROWS: Final = """
SELECT openid, status, attempts, uncertain_attempts, errmsg FROM replies
"""
_OPEN: Final = "SELECT count(*) FROM replies WHERE status IN ('pending', 'sending', 'held')"


@dataclass(frozen=True, slots=True)
class KillFigures:
    """What many kills came to.

    replies: that were owed. under_way: being sent when their worker was killed. doubled: came
    twice, and so often more than that. told: have an attempt whose outcome is unknown. failed: were
    given up with an unknown outcome, untold: came twice without being told. lost: never came, and
    nothing tells of it.
    """

    kills: int
    replies: int
    under_way: int
    doubled: int
    more_often: int
    told: int
    failed: int
    untold: int
    lost: int


def kill_workers(
    settings: Settings, *, rounds: int, replies: int, seed: int, wechat: str
) -> KillFigures:
    """Kill so many workers. replies: that are owed anew in each round. wechat: address of it."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    settings = settings.model_copy(update={"wechat_api_base_url": wechat})
    context = multiprocessing.get_context("forkserver")
    # Not `__name__`: a program is `__main__`, and each worker would import everything again.
    context.set_forkserver_preload(["tests.campaign.worker_kills"])
    url, under_way = settings.database_url, 0

    def settled() -> bool:
        return asyncio.run(_value(url, _OPEN)) == 0

    for number in range(rounds + 1):
        with _killed(context.Process(target=_work, args=(settings,))):
            _wait(settled, ROUND_SECONDS)
            if number == rounds:
                break
            wanted = len(_sent(wechat)) + drawn.randint(1, replies - 1)
            asyncio.run(_owe(url, number, replies))
            _wait(lambda: len(_sent(wechat)) >= wanted, ROUND_SECONDS)  # noqa: B023 - called here
            # Not only between two answers of WeChat, at which results are recorded.
            time.sleep(drawn.uniform(0, LATENCY_SECONDS))
        under_way += asyncio.run(_count(url))
    return _figures(
        asyncio.run(_rows(settings.database_url)), _sent(wechat), kills=rounds, under_way=under_way
    )


@contextmanager
def _killed(worker: BaseProcess) -> Iterator[None]:
    """Run a worker while the block runs, and kill it then."""
    worker.start()
    try:
        yield
    finally:
        worker.kill()
        worker.join()


def _figures(
    rows: list[asyncpg.Record], sent: list[str], *, kills: int, under_way: int
) -> KillFigures:
    came = Counter(sent)
    told = {row["openid"] for row in rows if row["uncertain_attempts"] > 0}
    failed = {row["openid"] for row in rows if row["status"] == "failed"}
    doubled = {openid for openid, times in came.items() if times > 1}
    return KillFigures(
        kills=kills,
        replies=len(rows),
        under_way=under_way,
        doubled=len(doubled),
        more_often=sum(times > 2 for times in came.values()),
        told=len(told),
        failed=len(failed),
        untold=len(doubled - told),
        lost=len({row["openid"] for row in rows} - came.keys() - (failed & told)),
    )


def _work(settings: Settings) -> None:
    app.worker.HEARTBEAT = STALE_AFTER
    # Not all at once: a worker would be killed when all are sent, or none.
    app.worker.MAX_SENDS = app.worker.MAX_SENDS_OF_ACCOUNT = SENDS  # type: ignore[misc]
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    database = open_database(settings.database_url)
    async with ApiClient(MAX_CALLS) as client:
        jobs = make_jobs(settings, database, SystemClock(), client)
        delivery = replace(jobs.delivery, takeover_seconds=TAKEOVER_SECONDS)
        await Worker(replace(jobs, delivery=delivery)).run()


async def _owe(url: str, number: int, replies: int) -> None:
    connection = await connect(url)
    await Backlog(APPID, f"round{number}", replies).store(connection)
    await connection.close()


async def _count(url: str) -> int:
    return await _value(url, "SELECT count(*) FROM replies WHERE status = 'sending'")


async def _value(url: str, query: str) -> int:
    connection = await connect(url)
    value: int = await connection.fetchval(query)
    await connection.close()
    return value


async def _rows(url: str) -> list[asyncpg.Record]:
    connection = await connect(url)
    rows: list[asyncpg.Record] = await connection.fetch(_ROWS)
    await connection.close()
    return rows


def _sent(wechat: str) -> list[str]:
    return [openid for _, _, openid in _CLIENT.get(f"{wechat}/sent").json()]


def _wait(look: Callable[[], bool], seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while not look():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(LOOK_SECONDS)


@contextmanager
def stand_in(port: int | None = None, /, **environment: str) -> Iterator[str]:
    """Run a stand-in of WeChat that takes LATENCY_SECONDS for a message; yield its address.

    environment: added to ours; see `benchmarks.delivery_peer`.
    """
    port = port or free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "benchmarks.delivery_peer:app"),
            *("--port", str(port), "--no-access-log", "--log-level", "warning"),
            # Calls that have just begun are not cut off.
            *("--timeout-keep-alive", "75"),
        ],
        cwd=ROOT,
        env={**os.environ, "LATENCY_SECONDS": str(LATENCY_SECONDS), **environment},
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/sent").is_success
        except httpx.TransportError:
            return False

    try:
        _wait(answers, ROUND_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait()


async def _migrate(url: str) -> None:
    database = open_database(url, command_timeout=None)
    await migrate.upgrade(database.engine)
    await database.close()


def main(
    rounds: Annotated[int, typer.Option(min=1, max=1000)] = 200,
    replies: Annotated[int, typer.Option(min=2, max=200, help="owed anew in each round")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed draws the same moments.")] = 1,
    uncertain_sends: Annotated[str, typer.Option(help="resend_once or hold")] = "resend_once",
) -> None:
    """Kill workers while they send, and compare what WeChat got with the tables."""
    with tempfile.TemporaryDirectory(prefix="oa-bridge-kills-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        url = embedded.start(folder)
        asyncio.run(_migrate(url))
        settings = settings_for(url, folder, uncertain_sends=uncertain_sends)
        with stand_in() as wechat:
            found = kill_workers(settings, rounds=rounds, replies=replies, seed=seed, wechat=wechat)
    typer.echo(f"{uncertain_sends}: {found}")
    sys.exit(0 if found.lost == found.untold == found.more_often == 0 else 1)


if __name__ == "__main__":
    typer.run(main)
