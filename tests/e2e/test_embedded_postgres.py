"""The embedded Postgres under `serve`, which may be killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.db import embedded
from tests.e2e.children import Child, oa_bridge
from tests.e2e.stack import account_settings
from tests.processes import free_port, is_running


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket, and no Postgres left behind."""
    with tempfile.TemporaryDirectory(prefix="oa-bridge-", ignore_cleanup_errors=True) as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        if (pid := postgres_of(path)) is not None:
            psutil.Process(pid).terminate()


def postgres_of(folder: Path) -> int | None:
    """Return the process id of the server that runs below a folder."""
    file = folder / "data" / embedded.FOLDER / "postmaster.pid"
    pid = int(file.read_text().splitlines()[0]) if file.exists() else None
    return pid if pid is not None and is_running(pid) else None


def embedded_serve(folder: Path, name: str) -> Child:
    port = free_port()
    settings = account_settings() | {
        "DATABASE_URL": "",
        "DATA_DIR": str(folder / "data"),
        "PORT": str(port),
    }
    return Child(name, oa_bridge("serve"), folder, settings, port)


async def test_postgres_ends_with_the_last_serve_even_after_one_was_killed(folder: Path) -> None:
    first, second = embedded_serve(folder, "first"), embedded_serve(folder, "second")
    try:
        first.start()
        first.listen()
        started = postgres_of(folder)
        first.kill()
        assert postgres_of(folder) == started

        first.restart()
        second.restart()
        assert postgres_of(folder) == started
        assert await second.stopped(20) == 0
        assert postgres_of(folder) == started, "the first one still uses it"
        assert await first.stopped(20) == 0
        assert postgres_of(folder) is None
    finally:
        first.clean_up()
        second.clean_up()
