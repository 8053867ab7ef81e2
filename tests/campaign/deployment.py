"""Everything that a campaign runs: services with a balancer, workers, WeChat, and a Postgres.

Each service has a data folder of its own, as on a machine of its own.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx
import psutil

from app.db.engine import UNAVAILABLE_ERRORS
from tests.campaign.balancer import Balancer
from tests.campaign.options import Options
from tests.campaign.shifted_clock import VARIABLE
from tests.e2e.children import Child, oa_bridge
from tests.e2e.postgres import Postgres
from tests.e2e.stack import BEARER, Processes, Stack, account_settings, talking_to
from tests.processes import free_port
from tests.rules.makers import JPEG

SHIFTED = [sys.executable, "-m", "tests.campaign.shifted_clock"]
RECOVERY_SECONDS = 90.0
# Without the token the answer has no figures of the spool.
READINESS_HEADERS = {**BEARER, "connection": "close"}
LOOK_SECONDS = 0.1
SETTLE_SECONDS = 0.5
# A killed process is gone at once, but not on a machine with more to do than it can.
END_SECONDS = 30.0
RULES_SECONDS = 2.0
START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What runs. clocks: seconds by which the clock of a program is off, by its name.

    settings: of every program. small_disk: the data folders of the services are on one small file
    system, of so many MB. small_postgres: the same for the database.
    """

    webs: int = 2
    workers: int = 2
    web_processes: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    clocks: Mapping[str, float] = field(default_factory=dict)
    small_disk: int | None = None
    small_postgres: int | None = None


@dataclass
class Deployment:
    """A service that runs, and what a campaign may do to it. notes: what it has to say of it."""

    stack: Stack
    postgres: Postgres
    balancers: list[Balancer]
    shape: Shape
    options: Options
    random: Random
    data_folder: Path
    notes: list[str] = field(default_factory=list)

    @property
    def callback_urls(self) -> list[str]:
        """Where WeChat pushes to: one for each service, which the others stand in for."""
        return [balancer.url for balancer in self.balancers]

    async def restart(self, child: Child) -> None:
        """Start a program again that has ended."""
        await asyncio.to_thread(child.restart)

    async def recovered(self) -> float | None:
        """Return after how many seconds every service is well and its spool empty, else None."""
        began = time.monotonic()
        while time.monotonic() - began < RECOVERY_SECONDS:
            if await self._is_well():
                return time.monotonic() - began
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def settle(self, promised: int) -> None:
        """Wait until `promised` callbacks are stored and no reply is under way; not for ever."""
        began = time.monotonic()
        while time.monotonic() - began < RECOVERY_SECONDS:
            if await self._is_settled(promised):
                return
            await asyncio.sleep(SETTLE_SECONDS)

    async def _is_well(self) -> bool:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            # Any of the processes of a service may answer.
            for url in self.stack.urls * self.shape.web_processes:
                try:
                    answer = await http.get(f"{url}/readyz", headers=READINESS_HEADERS)
                    parts = answer.json()["parts"]
                except (httpx.HTTPError, ValueError, KeyError):
                    return False
                if answer.status_code != httpx.codes.OK or parts["spool"]["count"]:
                    return False
                if parts["database"]["status"] != "ok":
                    return False
        return True

    async def _is_settled(self, promised: int) -> bool:
        try:
            stored = await self.stack.tables.value("SELECT count(DISTINCT openid) FROM callbacks")
            replies = await self.stack.tables.replies()
        except UNAVAILABLE_ERRORS:
            return False
        return stored >= promised and not replies.keys() & {"pending", "sending"}


@asynccontextmanager
async def deployed(shape: Shape, options: Options) -> AsyncIterator[Deployment]:
    """Run it all on a new database, with the rule of the shop. Raises NoMount, OSError."""
    async with AsyncExitStack() as stack:
        # Not under a deep folder: a socket's path has to be short, and open to Postgres' own user.
        postgres_folder = stack.enter_context(_folder("oab-pg-", shape.small_postgres))
        postgres_folder.chmod(0o755)
        data_folder = stack.enter_context(_folder("oab-data-", shape.small_disk))
        log_folder = stack.enter_context(_folder("oab-log-", None))
        if options.logs is not None:
            stack.callback(_keep_logs, log_folder, options.logs)
        postgres = Postgres(postgres_folder)
        stack.push_async_callback(_stop, postgres)
        url = await postgres.start()
        processes = _processes(shape, url, log_folder, data_folder)
        stack.callback(_end_all, [processes.wechat, *processes.webs, *processes.workers])
        await asyncio.to_thread(_start, processes)
        talking = await stack.enter_async_context(talking_to(processes))
        ports = [web.port for web in processes.webs if web.port is not None]
        balancers = [
            # A connection stays with its service, so that as many begin at each.
            await stack.enter_async_context(Balancer.before([*ports[first:], *ports[:first]]))
            for first in range(len(ports))
        ]
        await talking.only_the_shop()
        await asyncio.sleep(RULES_SECONDS if shape.web_processes > 1 else 0)
        seeded = Random(options.seed)  # noqa: S311 - the same faults each time
        yield Deployment(talking, postgres, balancers, shape, options, seeded, data_folder)


class NoMount(Exception):
    """This user may not mount a small file system here."""


@contextmanager
def _folder(prefix: str, megabytes: int | None) -> Iterator[Path]:
    """Yield a temporary folder; with `megabytes`, a file system of that size in memory."""
    with TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        if megabytes is None:
            yield Path(name)
            return
        with mounted(Path(name), megabytes):
            yield Path(name)


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a file system in memory at `folder`. Raises NoMount."""
    if _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)):
        raise NoMount
    try:
        yield
    finally:
        # What still has a file open there has been killed, and may take a moment to be gone.
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> int:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 1


def _keep_logs(folder: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)


def _processes(shape: Shape, database_url: str, folder: Path, data_folder: Path) -> Processes:
    port = free_port()
    simulate = [sys.executable, "-m", "simulator", "--port", str(port)]
    wechat = Child("wechat", simulate, folder, port=port)
    media = folder / "media"
    media.mkdir()
    (media / "shop.png").write_bytes(JPEG)
    settings = account_settings() | {
        "DATABASE_URL": database_url,
        "MEDIA_DIR": str(media),
        "WECHAT_API_BASE_URL": wechat.url,
        **shape.settings,
    }
    webs, workers = programs(shape, settings, folder, data_folder)
    for child in (wechat, *webs):
        child.start_seconds = START_SECONDS
    return Processes(webs, workers, wechat, database_url)


def programs(
    shape: Shape, settings: Mapping[str, str], folder: Path, data_folder: Path
) -> tuple[list[Child], list[Child]]:
    """Return the services and the workers of a shape, not started yet.

    folder: of their logs. data_folder: holds the data folder of each service.
    """
    webs = []
    for number in range(shape.webs):
        name, port = f"web-{number}", free_port()
        own = {
            "PORT": str(port),
            "DATA_DIR": str(data_folder / name),
            "WEB_PROCESSES": str(shape.web_processes),
        }
        webs.append(_program(shape, name, "serve", folder, {**settings, **own}, port))
    workers = [
        _program(shape, name, "worker", folder, {**settings, "DATA_DIR": str(folder / name)})
        for name in (f"worker-{number}" for number in range(shape.workers))
    ]
    return webs, workers


def _program(
    shape: Shape,
    name: str,
    command: str,
    folder: Path,
    settings: dict[str, str],
    port: int | None = None,
) -> Child:
    if name not in shape.clocks:
        return Child(name, oa_bridge(command), folder, settings, port)
    off = settings | {VARIABLE: str(shape.clocks[name])}
    return Child(name, [*SHIFTED, command], folder, off, port)


def _start(processes: Processes) -> None:
    for child in (processes.wechat, *processes.webs, *processes.workers):
        child.start()
    for child in (processes.wechat, *processes.webs):
        child.listen()


def children_of(child: Child) -> list[psutil.Process]:
    """Return the processes that a program has started."""
    try:
        return list(psutil.Process(child.process.pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def end(processes: list[psutil.Process]) -> None:
    """Kill processes and wait for their end."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=END_SECONDS)


def _end_all(children: list[Child]) -> None:
    started = [child for child in children if child.started]
    left = [process for child in started for process in children_of(child)]
    for child in started:
        child.process.kill()
    end(left)
    for child in started:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(END_SECONDS)


async def _stop(postgres: Postgres) -> None:
    with suppress(FileNotFoundError, ProcessLookupError):
        await postgres.stop_at_once()
