"""Measures how fast and how fairly workers send queued replies.

Throughput: replies a second with 1 and 4 workers, against calls at once ÷ latency, and the CPU of
the workers from the first to the last. Drain: the rate of a large backlog, by quarters. Fairness:
how long new replies of another account wait while one has a backlog and one is refused by WeChat,
and whether those whose window lasts a minute come first.
"""

import asyncio
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx
import psutil
import typer
from rich.console import Console

from app.db import embedded, migrate
from app.db.engine import connect, open_database
from benchmarks.delivery_fill import Backlog
from benchmarks.peer import ENCODING_AES_KEY, TOKEN
from benchmarks.servers import INHERITED, ROOT

OUT: Final = Path(__file__).with_name("out")
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 3600.0
PORT: Final = 18_932
BUSY, QUIET, REFUSED = (f"wx{number:016d}" for number in range(1, 4))
QUIET_REPLIES: Final = 20
# A worker whose jobs at once are set, so that the calls at once are known.
WORKER: Final = """
from app import worker
worker.MAX_SENDS, worker.MAX_SENDS_OF_ACCOUNT = {slots}, {at_once}
from app.cli.main import main
main()
"""

Sent = list[tuple[float, str, str]]

console = Console()


def main(
    replies: Annotated[int, typer.Option(min=100, help="for each throughput")] = 2_000,
    backlog: Annotated[int, typer.Option(min=400, help="drained in one go")] = 100_000,
    latency_ms: Annotated[float, typer.Option(min=1, help="latency of each call")] = 100.0,
    at_once: Annotated[int, typer.Option(min=1, help="calls at once, of each worker")] = 10,
) -> None:
    """Send replies to a stand-in of WeChat."""
    OUT.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="delivery-", dir=OUT))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # Postgres may run as another user
    bench = _Bench(folder, embedded.start(folder), latency_ms / 1000, at_once)
    for workers in (1, 4):
        bench.throughput(workers, replies)
        bench.fairness(workers, 4 * replies)
    bench.windows(replies)
    bench.drain(backlog)


class _Bench:
    """Measurements on one Postgres, each on a database of its own."""

    def __init__(self, folder: Path, url: str, latency: float, at_once: int) -> None:
        self._folder = folder
        self._url = url
        self._latency = latency
        self._at_once = at_once
        self._databases = 0
        self._cpu_seconds = 0.0
        self._later_at = 0.0
        self._before = 0  # messages that were sent until all workers ran

    def throughput(self, workers: int, count: int) -> None:
        # Some are sent while the workers start.
        everything = self._send([Backlog(BUSY, "busy", 4 * count)], workers, count)
        sent = everything[self._before :]
        rate = _rate(sent)
        most = workers * self._at_once / self._latency
        console.print(
            f"{workers} worker(s), {self._at_once} calls at once each: {rate:,.0f} replies/s, "
            f"{rate / most:.0%} of {most:,.0f}; {self._cpu_seconds / len(sent) * 1000:.1f} ms of "
            "the workers' CPU a reply"
        )

    def fairness(self, workers: int, count: int) -> None:
        backlogs = [Backlog(BUSY, "busy", count), Backlog(REFUSED, "refused", count)]
        quiet = Backlog(QUIET, "quiet", QUIET_REPLIES)
        sent = self._send(backlogs, workers, count // 4, later=quiet)
        last = max(at for at, account, _ in sent if account == QUIET) - self._later_at
        console.print(
            f"{workers} worker(s): {QUIET_REPLIES} new replies of an account behind {count:,} of "
            f"another one, and behind {count:,} of one that WeChat refuses: the last was sent "
            f"{last:.2f} s after they came"
        )

    def windows(self, count: int) -> None:
        backlogs = [Backlog(BUSY, "days", count), Backlog(BUSY, "minute", 50, timedelta(minutes=1))]
        sent = self._send(backlogs, 1, count // 2)
        before = [openid for _, _, openid in sent].index
        last = max(before(openid) for _, _, openid in sent if "minute" in openid)
        console.print(
            f"50 replies with a minute left behind {count:,} with two days: {last - 49} of the "
            "others were sent before the last of them"
        )

    def drain(self, count: int) -> None:
        everything = self._send([Backlog(BUSY, "busy", count)], 1, count)
        sent = everything[self._before :]
        quarter = len(sent) // 4
        rates = [f"{_rate(sent[part * quarter : (part + 1) * quarter]):,.0f}" for part in range(4)]
        console.print(
            f"{count:,} replies, 1 worker, replies/s by quarters: {', '.join(rates)}; "
            f"{self._cpu_seconds / len(sent) * 1000:.1f} ms of its CPU a reply"
        )

    def _send(
        self,
        backlogs: Sequence[Backlog],
        workers: int,
        count: int,
        *,
        later: Backlog | None = None,
    ) -> Sent:
        """Return all messages by time, `count` or more of them since all workers run.

        later: comes when a quarter of them is sent.
        """
        url = asyncio.run(self._database(backlogs))
        with _wechat(self._latency) as peer, self._workers(url, peer, workers) as processes:
            before = _started(peer, url, workers)
            cpu = _cpu_of(processes)
            ends_at = time.monotonic() + PATIENCE_SECONDS
            busy = sum(backlog.count for backlog in backlogs if backlog.appid == BUSY)
            wanted = min(before + count, busy)
            while (done := _number(peer, "sent/count")) < wanted:
                if time.monotonic() > ends_at:
                    raise RuntimeError(f"{done:,} of {wanted:,} replies were sent")
                if later is not None and done > before + count // 4:
                    self._later_at = time.time()
                    asyncio.run(_store(url, later))
                    later = None
                time.sleep(LOOK_SECONDS)
            self._cpu_seconds = _cpu_of(processes) - cpu
            self._before = before
            sent = _sent(peer)
            if _number(peer, "at_once") > workers * self._at_once:
                raise RuntimeError("there were more calls of an account at once than there may be")
        if len({openid for _, _, openid in sent}) < len(sent):
            raise RuntimeError("a reply was sent twice")
        return sorted((at, account, openid) for at, account, openid in sent)

    async def _database(self, backlogs: Sequence[Backlog]) -> str:
        self._databases += 1
        name = f"delivery_{self._databases}"
        connection = await connect(self._url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        url = urlsplit(self._url)._replace(path=f"/{name}").geturl()
        opened = open_database(url, command_timeout=None)
        await migrate.upgrade(opened.engine)
        await opened.close()
        connection = await connect(url)
        for backlog in backlogs:
            await backlog.store(connection)
        await connection.execute("ANALYZE")
        await connection.close()
        return url

    @contextmanager
    def _workers(
        self, database_url: str, peer: str, count: int
    ) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
        accounts = self._folder / "accounts.toml"
        accounts.write_text("".join(_account(appid) for appid in (BUSY, QUIET, REFUSED)))
        program = WORKER.format(slots=2 * self._at_once, at_once=self._at_once)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, "worker"],
                cwd=self._folder,  # a developer's .env is not read there
                env={
                    **_environment(),
                    "DATABASE_URL": database_url,
                    "WECHAT_API_BASE_URL": peer,
                    "ACCOUNTS_FILE": str(accounts),
                },
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(count)
        ]
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


def _cpu_of(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the seconds of CPU that these processes have used."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _sent(peer: str) -> Sent:
    sent: Sent = _http().get(f"{peer}/sent").json()
    return sent


def _number(peer: str, path: str) -> int:
    number: int = _http().get(f"{peer}/{path}").json()
    return number


@cache
def _http() -> httpx.Client:
    # A client for each request would read the certificate authorities each time: a tenth of a core.
    return httpx.Client(timeout=60)


def _started(peer: str, database_url: str, workers: int) -> int:
    """Wait until all workers run and messages are sent; return how many these are."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while asyncio.run(_running(database_url)) < workers or not _number(peer, "sent/count"):
        if time.monotonic() > ends_at:
            raise RuntimeError("not all workers have started")
        time.sleep(LOOK_SECONDS)
    return _number(peer, "sent/count")


async def _running(database_url: str) -> int:
    connection = await connect(database_url)
    running: int = await connection.fetchval("SELECT count(*) FROM worker_heartbeats")
    await connection.close()
    return running


async def _store(database_url: str, backlog: Backlog) -> None:
    connection = await connect(database_url)
    await backlog.store(connection)
    await connection.close()


def _account(appid: str) -> str:
    return (
        f'[[account]]\nappid = "{appid}"\nkind = "oa"\noriginal_id = "gh_{appid[-12:]}"\n'
        f'appsecret = "a-secret-of-the-benchmark"\ntoken = "{TOKEN}{appid[-1]}"\n'
        f'encoding_aes_key = "{ENCODING_AES_KEY}"\n'
    )


def _rate(sent: Sent) -> float:
    return len(sent) / (sent[-1][0] - sent[0][0])


@contextmanager
def _wechat(latency: float) -> Iterator[str]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "benchmarks.delivery_peer:app"),
            *("--port", str(PORT), "--no-access-log", "--log-level", "warning"),
            # Calls that have just begun are not cut off.
            *("--timeout-keep-alive", "75"),
        ],
        cwd=ROOT,
        env={**_environment(), "LATENCY_SECONDS": str(latency), "REFUSED": f"{REFUSED}=48001"},
    )
    url = f"http://127.0.0.1:{PORT}"
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            _number(url, "sent/count")
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    typer.run(main)
