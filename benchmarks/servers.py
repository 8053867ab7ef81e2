"""Starts the servers to measure, each with two web processes that share a port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.peer import APPID, ENCODING_AES_KEY, ORIGINAL_ID, TOKEN

ROOT: Final = Path(__file__).resolve().parents[1]
WEB_PROCESSES: Final = 2
START_SECONDS: Final = 60
STOP_SECONDS: Final = 15
JS_SAFE_DOMAIN: Final = "shop.example.com"
ADMIN_TOKEN: Final = "admin-token-of-the-benchmarks"  # noqa: S105 - of a service without data
STARTED: Final = "Application startup complete"
INHERITED: Final = ("HOME", "LANG", "PATH", "TMPDIR", "XDG_RUNTIME_DIR")


class NotStarted(Exception):
    """A server did not start; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. pid: that of the parent of its web processes."""

    pid: int
    port: int


@contextmanager
def bare(factory: str, folder: Path, database_url: str) -> Iterator[Server]:
    """Run an application of this package with uvicorn and the options of `oa-bridge serve`."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", factory, "--factory"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(WEB_PROCESSES)),
        *("--no-access-log", "--no-server-header", "--no-date-header", "--no-proxy-headers"),
    ]
    with _running(command, folder, port, database_url) as server:
        yield server


@contextmanager
def service(folder: Path, database_url: str) -> Iterator[Server]:
    """Run `oa-bridge serve`."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("oa-bridge")), "serve"]
    with _running(command, folder, port, database_url) as server:
        yield server


@contextmanager
def _running(
    command: Sequence[str], folder: Path, port: int, database_url: str
) -> Iterator[Server]:
    metrics = folder / "metrics"
    metrics.mkdir(parents=True)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,  # a developer's .env is not read there
            env={**_environment(port, database_url), "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the benchmark alone, which stops the server
        )
    try:
        _wait_until_started(process, log)
        yield Server(process.pid, port)
    finally:
        _stop(process)


def _environment(port: int, database_url: str) -> Mapping[str, str]:
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_PROCESSES": str(WEB_PROCESSES),
        "ADMIN_TOKENS": ADMIN_TOKEN,
        "WECHAT_APPID": APPID,
        "WECHAT_JS_SAFE_DOMAINS": JS_SAFE_DOMAIN,
        "WECHAT_ORIGINAL_ID": ORIGINAL_ID,
        "WECHAT_TOKEN": TOKEN,
        "WECHAT_ENCODING_AES_KEY": ENCODING_AES_KEY,
    }


def _wait_until_started(process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when every web process has logged its start. Raises NotStarted."""
    deadline = time.monotonic() + START_SECONDS
    while log.read_text(errors="replace").count(STARTED) < WEB_PROCESSES:
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(log.read_text(errors="replace")[-4000:])
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    below = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in below:
        if child.is_running():
            child.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
