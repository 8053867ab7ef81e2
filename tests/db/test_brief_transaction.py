"""A short transaction ends when its job is cancelled, whatever becomes of its connection."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text

from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, Database, open_database
from tests.waiting import PATIENCE_SECONDS

NOTHING_LISTENS = "postgresql://oa@127.0.0.1:1/oa"


async def repeat(database: Database) -> None:
    """Repeat a transaction until it succeeds, as the jobs do that record what was sent."""
    while True:
        with suppress(*UNAVAILABLE_ERRORS):
            async with brief_transaction(database.sessions) as session:
                await session.execute(text("SELECT 1"))
            return
        await asyncio.sleep(0)


async def test_a_job_whose_cancellation_was_hidden_by_an_error_ends_all_the_same() -> None:
    database = open_database(NOTHING_LISTENS)
    waiting = asyncio.Event()

    async def job() -> None:
        with suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        await repeat(database)

    running = asyncio.create_task(job())
    await waiting.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running
    await database.close()


async def test_an_error_of_a_job_that_goes_on_is_told_as_it_is() -> None:
    database = open_database(NOTHING_LISTENS)

    with pytest.raises(UNAVAILABLE_ERRORS):
        async with brief_transaction(database.sessions):
            raise TimeoutError
    await database.close()
