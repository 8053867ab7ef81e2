"""Runs the web processes of `oa-bridge serve`: starts them, replaces those that end or hang.

uvicorn's own supervisor kills a child that does not answer within five seconds. On a busy machine
with one core no child starts that fast, so all of them are killed again and again. It also leaves
the children running when it is killed itself, and each child imports the application again, which
takes some seconds of a processor: here they are forked from one process that has it in memory.
"""

import errno
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Final

import structlog
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from app.cli.forked_process import UNKNOWN_STATUS, ForkedContext, can_watch, restart_server
from app.ops.metrics_folder import hold_for_life

log = structlog.get_logger(__name__)

START_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 30.0
# After the parent has ended: what a child may take to answer its requests and to close.
ORPHAN_SECONDS: Final = 10.0
PORT_SECONDS: Final = 5.0
# An address of a socket has at most 107 bytes, of which multiprocessing needs 32 below the folder.
LONGEST_FOLDER: Final = 75
IMAGE: Final = "app.cli.web_image"


class WebProcess(Process):
    """One web process. It is asked for a sign of life without waiting for the answer."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        # Instead of the one of uvicorn, which starts a new Python, and to mypy is another type.
        process = start_context().Process(target=self.target, args=(sockets,))
        self.process = process  # type: ignore[assignment]
        self._monotonic = time.monotonic
        self._has_started = False
        self._asked_at: float | None = None

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Run in the child."""
        import_module(IMAGE).receive_signals()
        end_with_parent()
        hold_for_life(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        self.config.configure_logging()
        with suppress(KeyboardInterrupt):
            super().target(sockets)

    def fault(self) -> str | None:
        """Return why this process has to be replaced; None while it is well or starts."""
        if not self.process.is_alive():
            return _ending(self.process.exitcode)
        try:
            return self._ask()
        except (OSError, EOFError):  # it has just ended
            self.process.join(1)
            return _ending(self.process.exitcode)

    def _ask(self) -> str | None:
        now = self._monotonic()
        if self._asked_at is None:
            self.parent_conn.send(b"ping")
            self._asked_at = now
        if self.parent_conn.poll(0):
            self.parent_conn.recv()
            self._has_started, self._asked_at = True, None
            return None
        limit = ANSWER_SECONDS if self._has_started else START_SECONDS
        if now - self._asked_at <= limit:
            return None
        action = "answer" if self._has_started else "start"
        return f"did not {action} within {limit:.0f} s and was killed"


class WebProcesses(Multiprocess):
    """The supervisor. failed: it ended because a process could not start at all."""

    failed = False

    def init_processes(self) -> None:
        """Start all web processes."""
        self.processes += [self._started() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace the processes that have ended or hang; end if one can't start at all."""
        if restart_server():
            # Before a web process has to be replaced: it takes some seconds until it can fork one.
            log.error("web_image.replaced")
        for number, process in enumerate(self.processes):
            reason = process.fault() if isinstance(process, WebProcess) else None
            if reason is None or self.should_exit.is_set():
                continue
            log.error("web_process.replaced", pid=process.pid, reason=reason)
            process.kill()
            process.process.join()
            if process.exitcode == STARTUP_FAILURE:
                # It would fail in the same way each time: its log lines say why.
                self.failed = True
                self.should_exit.set()
                return
            try:
                self.processes[number] = self._started()
            except (EOFError, ConnectionError):
                # The process that it was to be forked from has ended, as when systemd stops all of
                # them. If this one goes on, both are started in the next round.
                log.warning("web_process.not_started", pid=process.pid)

    def _started(self) -> WebProcess:
        process = WebProcess(self.config, self.sockets)
        process.start()
        return process

    def handle_ttin(self) -> None:
        """Add a process."""
        self.processes_num += 1
        self.processes.append(self._started())

    def restart_all(self) -> None:
        """Replace every process by a new one, which must be ready before the old one ends."""
        for number, old in enumerate(self.processes):
            new = self._started()
            if not new.wait_until_ready(START_SECONDS, self.should_exit):
                log.error("web_process.not_restarted", pid=new.pid)
                new.kill()
                new.join()
                return
            old.terminate()
            old.join()
            self.processes[number] = new


def start_context() -> ForkedContext | SpawnContext:
    """Return how web processes are started.

    Only on Linux they are forked: elsewhere the system's own libraries do not stand it. The process
    that they are forked from listens on a socket in the folder for temporary files, whose path may
    be too long for the address of a socket; then each process starts anew, which takes longer. So
    it does on a Linux that gives no descriptors of processes.
    """
    is_too_long = len(os.fsencode(tempfile.gettempdir())) > LONGEST_FOLDER
    if sys.platform != "linux" or is_too_long or not can_watch():
        return multiprocessing.get_context("spawn")
    context = ForkedContext()
    context.set_forkserver_preload([IMAGE])
    return context


def wait_for_port(host: str, port: int) -> OSError | None:
    """Wait until nobody listens on a port; return why it can't be had within PORT_SECONDS.

    Web processes whose parent was killed close it within a second, but a supervisor starts the next
    `serve` at once.
    """
    ends_at = time.monotonic() + PORT_SECONDS
    told = False
    while (error := _bind_error(host, port)) is not None:
        if error.errno != errno.EADDRINUSE or time.monotonic() >= ends_at:
            return error
        if not told:
            log.warning("serve.waits_for_port", port=port)
            told = True
        time.sleep(0.1)
    return None


def _bind_error(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def end_with_parent() -> None:
    """End this child process when its parent has ended, however that happened.

    It outlives the process that it was forked from, which is no parent to it.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        # A pipe, which the system closes even after SIGKILL.
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def _ending(exitcode: int | None) -> str:
    if exitcode == UNKNOWN_STATUS:
        return "ended; so had the process that it was forked from, which knew how"
    if exitcode is not None and exitcode < 0:
        return f"was ended by {signal.Signals(-exitcode).name}"
    return f"ended with status {exitcode}"
