"""Programs of this repository as child processes: outputs in files, killed and started at will."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import wait_for_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
SHOWN_LINES = 40
PASSED_ON = ("PATH", "HOME", "LANG")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return all that a child gets: nothing that happens to be set here may reach it."""
    inherited = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**inherited, "PYTHONPATH": str(ROOT), **settings}


def oa_bridge(*arguments: str) -> list[str]:
    """Return the command line of `oa-bridge ARGUMENTS`."""
    return [sys.executable, "-c", "from app.cli.main import main; main()", *arguments]


@dataclass
class Child:
    """One program. port: where it listens; None for one that does not.

    folder: its working directory, so that no `.env` of the developer is read. start_seconds: how
    long it may take until it listens.
    """

    name: str
    command: Sequence[str]
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    start_seconds: float = START_SECONDS
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL of one that listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._process is not None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that runs, or ran last."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    def start(self) -> None:
        """Start it; `listen` waits for it."""
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                # A killed program can't clear up; what it leaves goes with the test's folder.
                env=environment({"TMPDIR": str(self.folder), **self.settings}),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def listen(self) -> None:
        """Return once it listens."""
        assert self.port is not None, f"{self.name} has no port"
        wait_for_port(self.process, self.port, self.start_seconds)

    def kill(self) -> None:
        """End it as a power cut does, and return when it is gone."""
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        """Start it again on the same port."""
        self.start()
        if self.port is not None:
            self.listen()

    async def stopped(self, within: float) -> int:
        """Send SIGTERM and return the exit status; fail if it stays longer than `within`."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(within)

    async def ended(self, within: float) -> int:
        """Return the exit status."""
        await eventually(self._is_over, within=within, what=f"{self.name} to end")
        status = self.process.returncode
        assert status is not None
        return status

    async def _is_over(self) -> bool:
        return self.process.poll() is not None

    def clean_up(self) -> None:
        """Kill it if it still runs, and show the end of its output (pytest prints on failure)."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        print(f"----- {self.name}", *self.output().splitlines()[-SHOWN_LINES:], sep="\n")  # noqa: T201 - seen on failure

    def output(self) -> str:
        """Return everything it has written."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.folder / f"{self.name}.log"
