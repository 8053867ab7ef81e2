"""A write is repeated while the database is unavailable, but not in a job that is cancelled."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text

from app.db import repeat_write as repeat_write_module
from app.db.brief import brief_transaction
from app.db.engine import Database, open_database
from app.db.repeat_write import repeat_write
from tests.waiting import PATIENCE_SECONDS

NOTHING_LISTENS = "postgresql://oa@127.0.0.1:1/oa"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat at once."""
    monkeypatch.setattr(repeat_write_module, "PAUSE_SECONDS", 0)


async def write_to(database: Database) -> None:
    async with brief_transaction(database.sessions) as session:
        await session.execute(text("SELECT 1"))


async def test_a_job_whose_cancellation_was_hidden_by_an_error_ends_all_the_same() -> None:
    database = open_database(NOTHING_LISTENS)
    waiting = asyncio.Event()

    async def job() -> None:
        with suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        await repeat_write(lambda: write_to(database))

    running = asyncio.create_task(job())
    await waiting.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running
    await database.close()


async def test_a_job_that_goes_on_repeats_until_the_database_is_back() -> None:
    failures = [ConnectionResetError(), TimeoutError()]
    written = []

    async def write() -> None:
        if failures:
            raise failures.pop()
        written.append(True)

    await repeat_write(write)

    assert (failures, written) == ([], [True])


async def test_an_error_that_says_nothing_of_the_database_is_told_as_it_is() -> None:
    async def write() -> None:
        raise ValueError("bad value")

    with pytest.raises(ValueError, match="bad value"):
        await repeat_write(write)
