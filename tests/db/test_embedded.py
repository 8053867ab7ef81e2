"""The embedded Postgres: started, joined, stopped; and a service that outlives a stop of it."""

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.db import embedded, migrate
from app.db.engine import connect, open_database
from app.settings import SettingsError
from tests.callback.makers import drained
from tests.service import WorldClock, column, message, running, settings_for
from tests.waiting import eventually

HEAD = (
    "import asyncio, sys, warnings; from pathlib import Path\n"
    "warnings.simplefilter('ignore')\n"
    "from app.db import embedded; from app.db.engine import connect\n"
    "folder = Path(sys.argv[1])\n"
)
START = "print(embedded.start(folder, stop_with_last_user=False))"
STOP = "embedded.stop(folder)"
ASK = (
    "async def ask(url):\n"
    "    connection = await connect(url)\n"
    "    print(await connection.fetchval('SELECT pg_postmaster_start_time()::text'))\n"
    "    await connection.close()\n"
    "asyncio.run(ask(embedded.start(folder)))"
)


def elsewhere(script: str, folder: Path) -> str:
    """Run a script in a process of its own; return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", HEAD + script, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a server of its own, short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="oa-bridge-", ignore_cleanup_errors=True) as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        if (path / embedded.FOLDER / "postmaster.pid").exists():
            elsewhere(STOP, path)


async def started_at(url: str) -> str:
    connection = await connect(url)
    moment: str = await connection.fetchval("SELECT pg_postmaster_start_time()::text")
    await connection.close()
    return moment


async def test_a_second_process_joins_the_server_and_its_end_leaves_it_running(
    folder: Path,
) -> None:
    url = embedded.start(folder)
    first = await started_at(url)

    joined = elsewhere(ASK, folder)

    assert joined == first
    assert await started_at(url) == first
    assert embedded.start(folder) == url


async def test_a_server_that_was_stopped_starts_again_and_its_folder_stays_closed(
    folder: Path,
) -> None:
    folder.chmod(0o700)  # noqa: ASYNC240 - nothing else runs meanwhile
    url = embedded.start(folder)
    first = await started_at(url)
    embedded.stop(folder)
    with pytest.raises(OSError, match=r"Connect|No such file"):
        await connect(url)

    assert await started_at(embedded.start(folder)) > first
    assert folder.stat().st_mode & stat.S_IRWXO == 0  # noqa: ASYNC240 - as above


@dataclass(slots=True)
class RecoveringServer:
    """Stands in for the wheel's server, which gives up after ten seconds of a recovery."""

    answers: list[Exception]
    log: Path = Path("data/postgres/log")

    def start(self) -> None:
        if self.answers:
            raise self.answers.pop(0)


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("pg_ctl", 10), AssertionError()])
def test_a_server_that_recovers_is_waited_for(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOOK_SECONDS", 0)
    server = RecoveringServer([error, error])

    embedded.wait_for_start(server)  # type: ignore[arg-type]

    assert server.answers == []


def test_a_server_that_does_not_start_is_named_with_its_log() -> None:
    server = RecoveringServer([AssertionError()])

    with pytest.raises(SettingsError, match="has not started; its log, data/postgres/log"):
        embedded.wait_for_start(server, seconds=0)  # type: ignore[arg-type]


async def test_a_service_outlives_a_stop_of_its_database(
    folder: Path, tmp_path: Path, clock: WorldClock
) -> None:
    """Acknowledged before, during and after: everything is in the tables afterwards, once."""
    url = elsewhere(START, folder)
    database = open_database(url)
    await migrate.upgrade(database.engine)
    await database.close()
    async with running(settings_for(url, tmp_path), clock) as service:
        before = [await service.push(message(clock)) for _ in range(5)]
        elsewhere(STOP, folder)
        during = [await service.push(message(clock)) for _ in range(5)]
        ready = await service.look("/readyz")
        elsewhere(START, folder)
        await eventually(drained(service.inbox))
        after = [await service.push(message(clock)) for _ in range(5)]
        connection = await connect(url)
        kept = await column(connection, "SELECT count(*) FROM callbacks")
        await connection.close()

    assert {answer.content for answer in before + during + after} == {b"success"}
    assert (ready.status_code, ready.json()["parts"]["spool"]["count"]) == (200, 5)
    assert kept == [15]
