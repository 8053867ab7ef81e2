"""Runs programs of this repository as real processes on free loopback ports."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

STOP_SECONDS = 15
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on.

    From below those that systems give to outgoing connections: until the program that it is for
    has started, nothing else may come by it.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def run_process(
    arguments: Sequence[str],
    *,
    port: int,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    within_seconds: float = 60,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python ARGUMENTS`, yield once it listens on `port`, and terminate it afterwards.

    environment: added to ours. folder: its working directory, ours if left out. Raises TimeoutError
    if it does not listen within the time, and ChildProcessError if it ends before.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **(environment or {})}, cwd=folder
    )
    try:
        wait_for_port(process, port, within_seconds)
        yield process
    finally:
        stop(process)


@contextmanager
def run_simulator(*options: str) -> Iterator[str]:
    """Run `python -m simulator OPTIONS` on a free port and yield its base URL."""
    port = free_port()
    with run_process(["-m", "simulator", "--port", str(port), *options], port=port):
        yield f"http://127.0.0.1:{port}"


def wait_for_port(process: subprocess.Popen[bytes], port: int, within_seconds: float) -> None:
    """Return once something accepts connections on `port`."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ChildProcessError(f"ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


def is_running(pid: int) -> bool:
    """Return whether a process has not ended.

    One that has ended is listed until its parent, or the system in its place, has asked for its
    status, which may take a while.
    """
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return status != psutil.STATUS_ZOMBIE


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
