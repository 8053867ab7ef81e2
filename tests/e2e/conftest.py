"""One running service for every test; what a test ends is started again for the next one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.db import migrate
from app.db.engine import connect, open_database
from tests.conftest import at_database
from tests.e2e.roles import as_app, make_roles
from tests.e2e.stack import Processes, Stack, run_processes, talking_to

DATABASE = "shared_e2e"


@pytest.fixture(scope="package")
def processes(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Two web processes and two workers. Shared: a test has a group of people of its own.

    They use the database as a user that can change no table: whatever they do, it is enough.
    """
    url = at_database(postgres_url, DATABASE)
    asyncio.run(_create(postgres_url, url))
    folder: Path = tmp_path_factory.mktemp("shared")
    with run_processes(as_app(url), folder, webs=2, workers=2) as running:
        yield running


async def _create(server_url: str, url: str) -> None:
    admin = await connect(server_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    assert make_roles(url).returncode == 0
    database = open_database(url)
    await migrate.upgrade(database.engine)
    await database.close()


@pytest.fixture
async def stack(processes: Processes) -> AsyncIterator[Stack]:
    """The shared service, whole again, answering with the rule of the shop alone."""
    processes.revive()
    async with talking_to(processes) as running:
        await running.peer.clear_faults()
        await running.only_the_shop()
        yield running
