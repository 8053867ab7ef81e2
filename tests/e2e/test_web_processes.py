"""Several web processes of one `serve`: on a busy core, and without their parent."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app.ops.metrics_folder import PREFIX
from tests.e2e.children import Child, oa_bridge
from tests.e2e.stack import account_settings
from tests.processes import free_port, is_running
from tests.waiting import eventually

START_SECONDS = 120


def serve(database_url: str, folder: Path, processes: int, *prefix: str) -> Child:
    port = free_port()
    # The path of the test's own folder may be too long to fork from one process.
    temporary = tempfile.mkdtemp(prefix="oab-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    settings = account_settings() | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "TMPDIR": temporary,
        "PORT": str(port),
        "WEB_PROCESSES": str(processes),
    }
    return Child("serve", [*prefix, *oa_bridge("serve")], folder, settings, port)


def lines(child: Child, event: str) -> list[dict[str, Any]]:
    """Return the log lines of an event."""
    found = (line for line in child.output().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, found) if line["event"] == event]


async def all_started(child: Child, number: int) -> None:
    async def have_started() -> bool:
        return len(lines(child, "Application startup complete.")) == number

    await eventually(have_started, f"{number} processes to start", within=START_SECONDS)


@contextmanager
def busy(core: int, loops: int) -> Iterator[None]:
    """Keep one core busy."""
    command = ["taskset", "-c", str(core), sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()


@pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset")
async def test_four_processes_come_up_on_one_busy_core(database_url: str, tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    child = serve(database_url, tmp_path, 4, "taskset", "-c", str(core))
    try:
        with busy(core, loops=2):
            child.start()
            await all_started(child, 4)
        assert not lines(child, "web_process.replaced")
        assert await child.stopped(30) == 0
    finally:
        child.clean_up()


async def test_what_is_killed_is_replaced_and_all_of_it_ends_when_it_is_asked_to(
    database_url: str, tmp_path: Path
) -> None:
    child = serve(database_url, tmp_path, 2)
    try:
        child.start()
        await all_started(child, 2)
        victim = web_pids(child)[0]
        os.kill(victim, signal.SIGKILL)
        await all_started(child, 3)
        (line,) = lines(child, "web_process.replaced")

        assert (line["pid"], line["reason"]) == (victim, "was ended by SIGKILL")
        # As systemd ends a service, and not as a terminal does.
        for one in [*child_processes(child), psutil.Process(child.process.pid)]:
            one.terminate()
        assert await child.ended(30) == 0
    finally:
        child.clean_up()

    assert len(lines(child, "Application shutdown complete.")) == 2


async def test_web_processes_outlive_the_process_that_they_were_forked_from(
    database_url: str, tmp_path: Path
) -> None:
    child = serve(database_url, tmp_path, 2)
    try:
        child.start()
        await all_started(child, 2)
        before, of_before = fork_server(child), web_pids(child)
        before.kill()

        async def is_replaced() -> bool:
            return len(lines(child, "web_image.replaced")) == 1

        await eventually(is_replaced, "another process to fork from")
        # One that is ended nevertheless is replaced, and the other one goes on.
        os.kill(of_before[0], signal.SIGKILL)
        await all_started(child, 3)
        (line,) = lines(child, "web_process.replaced")
        assert line["pid"] == of_before[0]
        assert is_running(of_before[1])
        assert len(web_pids(child)) == 1
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            assert (await http.get(f"{child.url}/livez")).status_code == 200
        assert await child.stopped(30) == 0
    finally:
        child.clean_up()

    assert len(lines(child, "Application shutdown complete.")) == 2
    assert not any(map(is_running, of_before))


async def test_web_processes_end_with_their_parent_and_a_new_one_can_start_at_once(
    database_url: str, tmp_path: Path
) -> None:
    child = serve(database_url, tmp_path, 2)
    try:
        child.start()
        await all_started(child, 2)
        orphans = web_pids(child)
        child.kill()
        child.start()

        async def are_gone() -> bool:
            return not any(map(is_running, orphans))

        await eventually(are_gone, "the web processes to end")
        await all_started(child, 4)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            alive = await http.get(f"{child.url}/livez")
        assert alive.status_code == 200
        # The killed one could not remove the folder of its metrics.
        assert metrics_folders(child) == 1
        assert await child.stopped(15) == 0
        assert metrics_folders(child) == 0
    finally:
        child.clean_up()


def web_pids(child: Child) -> list[int]:
    """Return the web processes: what the server of forks has forked."""
    return [one.pid for one in fork_server(child).children()]


def child_processes(child: Child) -> list[psutil.Process]:
    """Return every process below a child."""
    found: list[psutil.Process] = psutil.Process(child.process.pid).children(recursive=True)
    return found


def fork_server(child: Child) -> psutil.Process:
    """Return the process from which the web processes are forked."""
    (server,) = [
        one
        for one in psutil.Process(child.process.pid).children()
        if "forkserver" in " ".join(one.cmdline())
    ]
    return server


def metrics_folders(child: Child) -> int:
    """Return how many folders of shared metrics are in the temporary folder of a child."""
    return len(list(Path(child.settings["TMPDIR"]).glob(f"{PREFIX}*")))
