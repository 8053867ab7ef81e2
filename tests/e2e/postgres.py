"""A Postgres of one test alone, which may be stopped as a power cut stops it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.db import embedded, migrate
from app.db.engine import open_database
from tests.e2e.children import ROOT, environment
from tests.processes import is_running
from tests.waiting import eventually

# In a process of its own: the library thinks that a server it started runs until it stops it.
START = """
import sys
from pathlib import Path
from app.db import embedded
print(embedded.start(Path(sys.argv[1]), stop_with_last_user=False))
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """The embedded Postgres under `folder`."""

    folder: Path

    async def start(self) -> str:
        """Start it, migrate it, and return its URL."""
        url = await asyncio.to_thread(self._start)
        database = open_database(url)
        await migrate.upgrade(database.engine)
        await database.close()
        return url

    async def stop_at_once(self) -> None:
        """Stop it without a farewell to anybody; the next start recovers from the log."""
        pid = self._pid()
        os.kill(pid, signal.SIGQUIT)
        await eventually(lambda: _is_gone(pid), "Postgres to stop")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep every connection open and answer nobody, as behind a network that is cut."""
        server = psutil.Process(self._pid())
        processes = [server, *server.children()]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def clean_up(self) -> None:
        """Stop it if it runs."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self._pid(), signal.SIGQUIT)

    def _pid(self) -> int:
        pid_file = self.folder / embedded.FOLDER / "postmaster.pid"
        return int(pid_file.read_text().split()[0])

    def _start(self) -> str:
        started = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", START, str(self.folder)],
            env=environment({}),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        )
        return started.stdout.split()[-1]


async def _is_gone(pid: int) -> bool:
    return not is_running(pid)
