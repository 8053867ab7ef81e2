"""Fixtures every test may use: one embedded Postgres a run, a fresh database each test."""

import asyncio
import atexit
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from app.access import token_cache
from app.callback import inbox, router
from app.db import brief_connection, embedded, engine, migrate
from app.db.engine import Database, open_database
from app.jssdk import live_tickets
from app.links import slug_cache
from app.ops import database_state
from app.settings import Settings
from simulator.playground.setup import bare_environment
from tests.built_routes import forget_applications, share_built_routes
from tests.chromium import NO_BROWSER, is_installed
from tests.clients import generators
from tests.definitions import pytest_runtest_logreport
from tests.distribution import pytest_xdist_make_scheduler
from tests.pooled_connections import Held, recording
from tests.waiting import PATIENCE_SECONDS

__all__ = ["pytest_runtest_logreport", "pytest_xdist_make_scheduler"]

TEMPLATE = "oa_bridge_template"
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
MEMORY_BYTES = 2 << 30
# With Python's own the collector takes a tenth of the time of the tests.
GC_THRESHOLDS = 10_000, 20, 20

# No deadline: how long an example takes says more of the machine than of the code.
settings.register_profile(
    "oa-bridge", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("oa-bridge")

# Whatever the developer has set, here or in `.env`, is meant for another service.
for name in os.environ.keys() - bare_environment().keys():
    del os.environ[name]
Settings.model_config["env_file"] = None

share_built_routes()
forget_applications()

# Until all is collected: modules and tests, of which nothing goes away.
gc.disable()

# On a busy machine a new connection or a brief transaction can take seconds. How long the service
# waits for one decides only where nothing answers, and the tests of that set it themselves.
engine.CONNECT_TIMEOUT_SECONDS = 20.0
brief_connection.BRIEF_SECONDS = 60.0


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a browser where there is none."""
    if item.get_closest_marker("browser") and not is_installed():
        pytest.skip(NO_BROWSER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    left_out = [report for report in skipped if NO_BROWSER in str(report.longrepr)]
    if left_out:
        terminalreporter.write_line(f"{len(left_out)} browser tests were not run: {NO_BROWSER}")
    for sentence in generators.missing():
        terminalreporter.write_line(sentence)


def pytest_collection_finish() -> None:
    """Look at the modules, which stay, no more whenever a test leaves something to be collected."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def at_database(url: str, name: str) -> str:
    """Return `url` with another database name."""
    return url.replace("/postgres?", f"/{name}?")


def _quick_folder() -> Path | None:
    """Return a folder in memory, if there is room; None is the usual one for temporary files.

    Each fresh database is some hundred files. On a disk, ext4 looks for a place for them among
    all those that were deleted just before, and takes ten times as long as Postgres.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        return MEMORY
    return None


# What a test writes and syncs need not outlive the machine either. A program that a test starts
# finds the folder in its environment.
if (quick_folder := _quick_folder()) is not None:
    tempfile.tempdir = os.environ["TMPDIR"] = str(quick_folder)


@pytest.fixture(scope="session")
def postgres_dir() -> Path:
    """A folder with a running Postgres of this test process, which stops with it."""
    path = Path(tempfile.mkdtemp(prefix="oa-bridge-test-"))
    # At the very end: when this process exits, the server's library looks into the folder again.
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    path.chmod(0o755)
    embedded.start(path)
    return path


@pytest.fixture(scope="session")
def postgres_url(postgres_dir: Path) -> str:
    """URL of the server's own database."""
    return embedded.start(postgres_dir)


async def patiently_connect(url: str) -> asyncpg.Connection:
    """Connect however busy the machine is; how patient the service is, its own tests say."""
    return await asyncpg.connect(url, timeout=60, command_timeout=60)


class Administrator:
    """One connection to the server's own database for all tests, on an event loop of its own."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(patiently_connect(url))

    def execute(self, statement: str) -> None:
        """Execute one statement."""
        self._loop.run_until_complete(self._connection.execute(statement))

    def close(self) -> None:
        """Close the connection."""
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


@pytest.fixture(scope="session")
def administrator(postgres_url: str) -> Iterator[Administrator]:
    """Who makes the tests' databases; the template of them is migrated."""
    administrator = Administrator(postgres_url)
    # Here the machine's own crash is not what is tested, and waiting for its disk costs time.
    # Nor does any database live long enough to be vacuumed.
    for setting in ("fsync", "full_page_writes", "autovacuum"):
        administrator.execute(f"ALTER SYSTEM SET {setting} = off")
    administrator.execute("SELECT pg_reload_conf()")
    administrator.execute(f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(_migrate(at_database(postgres_url, TEMPLATE)))
    yield administrator
    administrator.close()


async def _migrate(url: str) -> None:
    template = open_database(url)
    await migrate.upgrade(template.engine)
    await template.close()


@pytest.fixture
def database_url(postgres_url: str, administrator: Administrator) -> Iterator[str]:
    """URL of a fresh, migrated database of this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield at_database(postgres_url, name)
    administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A Database of this test alone, with real commits."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a push wait for its commit, and a request for what it looks up, as long as it takes.

    On a busy machine that can be seconds: the push would go to the spool, and a test that looks for
    it in the database would find nothing. The tests of these limits set them themselves.
    """
    monkeypatch.setattr(inbox, "FLUSH_SECONDS", PATIENCE_SECONDS / 2)
    monkeypatch.setattr(router, "DEADLINE_SECONDS", PATIENCE_SECONDS)
    for lookup in (token_cache, slug_cache, live_tickets, database_state):
        monkeypatch.setattr(lookup, "TIMEOUT_SECONDS", PATIENCE_SECONDS / 4)


@pytest.fixture(autouse=True)
def held_connections() -> Iterator[Held]:
    """No job and no route that any test runs holds two pooled connections, or one during a call."""
    with recording() as held:
        yield held
    assert not held.faults, "\n".join(held.faults)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection to this test's database, to look at what was stored."""
    opened = await patiently_connect(database_url)
    yield opened
    await opened.close()
