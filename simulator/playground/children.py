"""The programs of the playground: real processes, each with its own log file."""

import asyncio
import ctypes
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 12
TAIL_LINES = 12
PR_SET_PDEATHSIG = 1

# Looked up here, since little may be done between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Let this process get SIGTERM when the playground ends, even if it is killed. Linux only."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Child:
    """One running program. log: the file with everything that it has printed."""

    name: str
    process: Process
    log: Path

    def last_lines(self) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    async def stop(self) -> None:
        """Ask the program to end, and kill it if it does not."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


class Children:
    """Starts programs and stops all of them."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder = folder
        self._logs = logs
        self._all: list[Child] = []
        self._died: asyncio.Queue[Child] = asyncio.Queue()
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, name: str, *command: str, environment: Mapping[str, str]) -> Child:
        """Start a program in the data folder, so that it reads no `.env`."""
        self._logs.mkdir(exist_ok=True)
        path = self._logs / f"{name}.log"
        with path.open("wb") as log:
            # In a new session: Ctrl-C must reach only the playground, which stops all in order.
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._folder,
                env=dict(environment),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        child = Child(name, process, path)
        self._all.append(child)
        self._watchers.append(asyncio.create_task(self._watch(child)))
        return child

    async def first_death(self) -> Child:
        """Return the first program that ended by itself."""
        return await self._died.get()

    async def stop(self) -> None:
        """Stop all programs, the last one first, so that the simulator ends after its callers."""
        for watcher in self._watchers:
            watcher.cancel()
        for child in reversed(self._all):
            await child.stop()

    async def _watch(self, child: Child) -> None:
        await child.process.wait()
        await self._died.put(child)


def end_of(child: Child) -> str:
    """Return how a program ended."""
    status = child.process.returncode
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
