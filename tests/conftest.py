"""Fixtures every test may use: one embedded Postgres a run, a fresh database each test."""

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

from app.db import embedded, migrate
from app.db.engine import Database, open_database
from app.settings import Settings
from simulator.playground.setup import bare_environment
from tests.pooled_connections import Held, recording

TEMPLATE = "oa_bridge_template"
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
MEMORY_BYTES = 2 << 30

# No deadline: how long an example takes says more of the machine than of the code.
settings.register_profile(
    "oa-bridge", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("oa-bridge")

# Whatever the developer has set, here or in `.env`, is meant for another service.
for name in os.environ.keys() - bare_environment().keys():
    del os.environ[name]
Settings.model_config["env_file"] = None


def pytest_collection_finish() -> None:
    """Look at the modules, which stay, no more whenever a test leaves something to be collected."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session")
def postgres_dir() -> Path:
    """A folder with a running Postgres of this test process, which stops with it."""
    path = Path(tempfile.mkdtemp(prefix="oa-bridge-test-", dir=_quick_folder()))
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


async def _make_template(url: str) -> None:
    connection = await patiently_connect(url)
    try:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
            return
        # Here the machine's own crash is not what is tested, and waiting for its disk costs time.
        # Nor does any database live long enough to be vacuumed.
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    finally:
        await connection.close()
    template = open_database(at_database(url, TEMPLATE))
    await migrate.upgrade(template.engine)
    await template.close()


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """URL of a fresh, migrated database of this test alone."""
    await _make_template(postgres_url)
    name = f"test_{uuid.uuid4().hex}"
    admin = await patiently_connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    await admin.close()
    yield at_database(postgres_url, name)
    admin = await patiently_connect(postgres_url)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A Database of this test alone, with real commits."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


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
