"""Jobs are enqueued on the caller's transaction, and only there."""

from datetime import timedelta

import asyncpg
import pytest

from app.db import queue
from app.db.engine import Database, connect
from app.db.queue import NewJob, enqueue, enqueue_on, hasten
from tests.service import column

JOB = NewJob("some.job", {"id": "1"})
COUNT = "SELECT count(*) FROM pgqueuer"


async def test_a_job_is_there_once_the_transaction_has_committed(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with database.sessions.begin() as session:
        await enqueue(session, [JOB])
        before = await column(connection, COUNT)

    assert (before, await column(connection, COUNT)) == ([0], [1])
    assert await column(connection, "SELECT payload FROM pgqueuer") == [b'{"id":"1"}']


async def test_a_job_goes_with_the_transaction_even_when_it_was_its_first_statement(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with database.sessions() as session:
        await enqueue(session, [JOB])
        await session.rollback()

    assert await column(connection, COUNT) == [0]


async def test_a_job_on_a_plain_connection_goes_with_its_transaction(
    database_url: str, connection: asyncpg.Connection
) -> None:
    own = await connect(database_url)
    transaction = own.transaction()
    await transaction.start()
    await enqueue_on(own, [JOB])
    await transaction.rollback()
    async with own.transaction():
        await enqueue_on(own, [JOB, JOB])
    await own.close()

    assert await column(connection, COUNT) == [2]


async def test_a_key_keeps_a_job_from_being_added_twice_and_adds_the_others(
    database: Database, connection: asyncpg.Connection
) -> None:
    keyed = NewJob("some.job", {"id": "1"}, key="once")
    async with database.sessions.begin() as session:
        await enqueue(session, [keyed])
    async with database.sessions.begin() as session:
        await enqueue(session, [keyed, JOB, keyed])

    assert await column(connection, COUNT) == [2]


async def test_a_delay_is_counted_from_now(
    database: Database, connection: asyncpg.Connection
) -> None:
    async with database.sessions.begin() as session:
        await enqueue(session, [NewJob("some.job", {}, delay=timedelta(minutes=5)), JOB])

    assert await column(
        connection,
        "SELECT execute_after > now() + interval '4 minutes' FROM pgqueuer ORDER BY id",
    ) == [True, False]


async def test_no_jobs_are_no_statement(database: Database, connection: asyncpg.Connection) -> None:
    async with database.sessions.begin() as session:
        await enqueue(session, [])

    assert await column(connection, COUNT) == [0]


async def test_only_the_jobs_of_one_account_are_hastened_and_a_bounded_number_at_once(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MAX_HASTENED", 2)
    later = timedelta(hours=1)
    jobs = [NewJob("some.job", {}, delay=later, account=one) for one in ["wxa", "wxa", "wxb", None]]
    async with database.sessions.begin() as session:
        await enqueue(session, [*jobs, NewJob("another.job", {}, delay=later, account="wxa")])

    due = "SELECT headers ->> 'account' FROM pgqueuer WHERE execute_after <= now() ORDER BY id"
    found = []
    for _ in range(3):
        async with database.sessions.begin() as session:
            others = await hasten(session, "some.job", "wxa")
        found.append((others, list(await column(connection, due))))

    both = ["wxa", "wxa", None]
    assert found == [(True, both[:2]), (False, both), (False, both)]
