"""When a web process is replaced, without a process."""

import errno
import socket
import sys
import tempfile
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.cli import web_processes
from app.cli.web_processes import (
    ANSWER_SECONDS,
    LONGEST_FOLDER,
    START_SECONDS,
    WebProcess,
    start_context,
)


@dataclass
class Child:
    """A process as `multiprocessing` shows it."""

    exitcode: int | None = None
    pid: int = 7

    def kill(self) -> None:
        """It has ended."""

    def is_alive(self) -> bool:
        return self.exitcode is None

    def join(self, timeout: float | None = None) -> None:
        del timeout


@dataclass
class Pipe:
    answers: list[bool] = field(default_factory=list)
    asked: int = 0
    broken: bool = False

    def send(self, _: bytes) -> None:
        if self.broken:
            raise BrokenPipeError
        self.asked += 1

    def poll(self, timeout: float) -> bool:
        assert timeout == 0, "the supervisor must go on to the next process"
        return bool(self.answers)

    def recv(self) -> bool:
        return self.answers.pop(0)

    def close(self) -> None:
        """Nothing is open."""


class Watched:
    """A WebProcess with a child, a pipe and a clock of the test."""

    def __init__(self) -> None:
        self.child, self.pipe, self.now = Child(), Pipe(), 0.0
        process: Any = WebProcess.__new__(WebProcess)
        process.process, process.parent_conn, process.child_conn = self.child, self.pipe, self.pipe
        process._monotonic = lambda: self.now
        process._has_started, process._asked_at = False, None
        self.process = process

    def fault_at(self, now: float) -> str | None:
        self.now = now
        fault: str | None = self.process.fault()
        return fault


def test_a_start_may_take_a_minute() -> None:
    watched = Watched()

    assert [watched.fault_at(now) for now in (0, 6, 30, START_SECONDS)] == [None] * 4
    assert watched.pipe.asked == 1
    assert watched.fault_at(START_SECONDS + 1) == "did not start within 60 s and was killed"


def test_a_process_that_has_started_must_answer() -> None:
    watched = Watched()
    watched.fault_at(0)
    watched.pipe.answers = [False]
    assert watched.fault_at(50) is None

    assert watched.fault_at(51) is None
    assert watched.fault_at(51 + ANSWER_SECONDS) is None
    reason = watched.fault_at(52 + ANSWER_SECONDS)
    assert reason == "did not answer within 30 s and was killed"


def test_a_late_answer_counts() -> None:
    watched = Watched()
    watched.fault_at(0)
    watched.pipe.answers = [True]

    assert watched.fault_at(START_SECONDS + 5) is None


@pytest.mark.parametrize(
    ("exitcode", "reason"), [(-9, "was ended by SIGKILL"), (1, "ended with status 1")]
)
def test_the_reason_of_an_end_is_told(exitcode: int, reason: str) -> None:
    watched = Watched()
    watched.child.exitcode = exitcode

    assert watched.fault_at(0) == reason


def test_a_process_that_ends_while_it_is_asked_is_replaced() -> None:
    watched = Watched()
    watched.pipe.broken = True

    assert watched.fault_at(0) is not None


def test_a_process_that_nobody_can_fork_yet_is_started_in_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: Any = Watched().process
    ended.process.exitcode = -9
    started = object()
    outcomes = iter([EOFError(), ConnectionRefusedError(), started])

    def start() -> object:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    supervisor: Any = web_processes.WebProcesses.__new__(web_processes.WebProcesses)
    supervisor.processes, supervisor.should_exit = [ended], threading.Event()
    monkeypatch.setattr(supervisor, "_started", start)

    for _ in range(2):
        supervisor.keep_subprocess_alive()
        assert supervisor.processes == [ended]
    supervisor.keep_subprocess_alive()
    assert supervisor.processes == [started]


def test_the_wait_for_a_port_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = OSError(errno.EADDRINUSE, "in use")
    answers = iter([taken, taken, None])
    monkeypatch.setattr(web_processes, "_bind_error", lambda *_: next(answers))

    assert web_processes.wait_for_port("127.0.0.1", 1) is None
    assert next(answers, None) is None


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
@pytest.mark.parametrize(
    ("length", "method", "fits"),
    [(LONGEST_FOLDER, "forkserver", True), (LONGEST_FOLDER + 1, "spawn", False)],
)
def test_a_folder_whose_path_is_too_long_for_a_socket_is_not_used_for_one(
    length: int, method: str, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the folder, multiprocessing makes another one, and the socket in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        folder = Path(base, "x" * (length - len(base) - 1), "pymp-12345678")
        folder.mkdir(parents=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder.parent))

        assert start_context().get_start_method() == method
        too_long = pytest.raises(OSError, match="too long")
        with socket.socket(socket.AF_UNIX) as listener, nullcontext() if fits else too_long:
            listener.bind(str(folder / "listener-12345678"))
