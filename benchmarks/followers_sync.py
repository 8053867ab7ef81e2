"""Measures the time and memory of `oa-bridge followers sync` with generated followers.

The time is compared with the least possible one, calls × latency ÷ concurrency, in which the sync
would wait for WeChat's answers alone.
"""

import asyncio
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import httpx
import psutil
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from app.db import embedded, migrate
from app.db.engine import open_database
from benchmarks.peer import APPID, ENCODING_AES_KEY, TOKEN
from benchmarks.servers import INHERITED, ROOT

OUT: Final = Path(__file__).with_name("out")
LOOK_SECONDS: Final = 0.1
MIB: Final = 1024 * 1024

console = Console()


@dataclass(frozen=True, slots=True)
class Run:
    """One sync. calls: of `user/get` and `user/info/batchget`. cpu: seconds. output: last line."""

    seconds: float
    cpu: float
    calls: int
    peak_mib: float
    output: str


def main(
    followers: Annotated[int, typer.Option(min=1)] = 100_000,
    latency_ms: Annotated[float, typer.Option(min=1, help="latency of each call")] = 100.0,
    concurrency: Annotated[int, typer.Option(min=1, max=64)] = 8,
) -> None:
    """Sync generated followers into an empty database, and then once more."""
    OUT.mkdir(exist_ok=True)
    # It lies next to the code: the system's temporary folder may be in memory.
    folder = Path(tempfile.mkdtemp(prefix="followers-", dir=OUT))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # Postgres may run as another user
    url = embedded.start(folder)  # it stops when this process ends
    asyncio.run(_migrate(url))
    with _wechat(followers, latency_ms / 1000) as peer:
        runs = [_run(folder, url, peer, concurrency) for _ in range(2)]
    _show(runs, followers, latency_ms / 1000 / concurrency)


async def _migrate(url: str) -> None:
    opened = open_database(url)
    await migrate.upgrade(opened.engine)
    await opened.close()


@contextmanager
def _wechat(followers: int, latency: float) -> Iterator[str]:
    port = 18_931
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "benchmarks.followers_peer:app"),
            *("--port", str(port), "--no-access-log", "--log-level", "warning"),
        ],
        cwd=ROOT,
        env={**_environment(), "FOLLOWERS": str(followers), "LATENCY_SECONDS": str(latency)},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{url}/calls")
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _run(folder: Path, database_url: str, peer: str, concurrency: int) -> Run:
    before = _calls(peer)
    began = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-c", "from app.cli.main import main; main()", "followers", "sync"],
        cwd=folder,  # a developer's .env is not read there
        env={
            **_environment(),
            "DATABASE_URL": database_url,
            "WECHAT_API_BASE_URL": peer,
            "WECHAT_APPID": APPID,
            "WECHAT_APPSECRET": "a-secret-of-the-benchmark",
            "WECHAT_TOKEN": TOKEN,
            "WECHAT_ENCODING_AES_KEY": ENCODING_AES_KEY,
            "FOLLOWERS_SYNC_CONCURRENCY": str(concurrency),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    peak, cpu = 0, 0.0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, process.memory_info().rss)
            cpu = sum(process.cpu_times()[:2])
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - began
    output = process.stdout.read().strip().rsplit("\n", 1)[-1]
    return Run(seconds, cpu, _calls(peer) - before, peak / MIB, output)


def _calls(peer: str) -> int:
    counted = httpx.get(f"{peer}/calls").json()
    return int(counted.get("user/get", 0)) + int(counted.get("user/info/batchget", 0))


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "PYTHONPATH": str(ROOT)}


def _show(runs: list[Run], followers: int, seconds_a_call: float) -> None:
    table = Table(title=f"followers sync, {followers:,} followers", box=box.SIMPLE)
    for name in ("run", "calls", "s", "least s", "ratio", "followers/s", "CPU s", "peak MiB"):
        table.add_column(name, justify="right")
    for name, run in zip(("first", "again"), runs, strict=True):
        least = run.calls * seconds_a_call
        table.add_row(
            name,
            f"{run.calls:,}",
            f"{run.seconds:.1f}",
            f"{least:.1f}",
            f"{run.seconds / least:.2f}",
            f"{followers / run.seconds:,.0f}",
            f"{run.cpu:.1f}",
            f"{run.peak_mib:.0f}",
        )
    console.print(table)
    for run in runs:
        console.print(run.output, markup=False)


if __name__ == "__main__":
    typer.run(main)
