"""`make run` as a new user meets it: real processes, one message, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from simulator.playground.rules import KEYWORD

WITHIN_SECONDS = 90
SIGN_IN_LINK = re.compile(r"^http://127\.0\.0\.1:\d+/console/sign-in/[\w-]{43}$", re.MULTILINE)


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A folder for the playgrounds of this file; the later ones find what the first left."""
    with tempfile.TemporaryDirectory(prefix="oa-run-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # as root, Postgres runs as somebody else
        yield Path(name) / "data"


def start(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simulator.playground", "--data-dir", str(data_dir), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(read)


def belonging_to(data_dir: Path) -> list[str]:
    """Return the command lines of processes that work in the folder or name it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            command = " ".join(process.cmdline())
            if str(data_dir) in command or Path(process.cwd()).is_relative_to(data_dir):
                found.append(command)
    return found


def test_make_run_shows_the_card_and_leaves_nothing_behind(data_dir: Path) -> None:
    process = start(data_dir, "--once")
    told, _ = process.communicate(timeout=WITHIN_SECONDS)

    assert process.returncode == 0, told
    card = told.partition("mini-program card")[2]
    assert KEYWORD in card
    assert "pages/index?from=oa" in card
    assert "Shop" in told
    # Whoever starts it signs in first, while the demonstration goes on.
    assert SIGN_IN_LINK.search(told.partition("sample rules")[0])
    assert belonging_to(data_dir) == []


def test_ctrl_c_stops_everything_with_status_0(data_dir: Path) -> None:
    process = start(data_dir)
    told = read_until(process, "Ctrl-C stops everything")
    assert belonging_to(data_dir) != []

    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=WITHIN_SECONDS)

    assert process.returncode == 0, told + rest
    assert "Traceback" not in told + rest
    assert belonging_to(data_dir) == []


def test_a_program_that_dies_is_named_and_the_others_are_stopped(data_dir: Path) -> None:
    process = start(data_dir)
    read_until(process, "Ctrl-C stops everything")
    children = psutil.Process(process.pid).children()
    next(child for child in children if child.cmdline()[-1] == "worker").kill()

    rest, _ = process.communicate(timeout=WITHIN_SECONDS)

    assert process.returncode == 1
    assert "worker was ended by SIGKILL" in rest
    assert belonging_to(data_dir) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_the_programs_end_with_a_playground_that_is_killed(data_dir: Path) -> None:
    process = start(data_dir)
    read_until(process, "Ctrl-C stops everything")
    children = psutil.Process(process.pid).children()
    assert len(children) == 3

    process.kill()
    process.communicate(timeout=WITHIN_SECONDS)
    _, alive = psutil.wait_procs(children, timeout=20)

    assert alive == []
    start(data_dir, "--once").communicate(timeout=WITHIN_SECONDS)
    assert belonging_to(data_dir) == []
