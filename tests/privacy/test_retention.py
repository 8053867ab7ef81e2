"""What is old is cleared, a batch at a time, past rows that somebody works on."""

from datetime import datetime, timedelta

import asyncpg

from app.callback import erase as inbox
from app.db.engine import Database
from app.privacy.retention import retain
from app.worker import Jobs
from tests.privacy.makers import TEXT, found, live
from tests.service import OPENID, Service, column, message

CALLBACKS = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
SELECT gen_random_uuid(), 'wx', int4send(0) || uuid_send(gen_random_uuid()), 'o', 'text',
       $1, $1, '{"Content": 1}'
FROM generate_series(1, $2::int)
"""
FULL = "SELECT count(*) FROM callbacks WHERE payload <> '{}'"


async def old(connection: asyncpg.Connection, at: datetime, number: int) -> None:
    await connection.execute(CALLBACKS, at, number)


async def test_messages_and_answers_go_after_thirty_days_and_their_rows_stay(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await connection.execute("UPDATE replies SET status = 'sent'")
    (stored,) = await column(connection, "SELECT count(*) FROM callbacks")
    service.clock.advance(timedelta(days=29))
    await service.push(message(service.clock, "of yesterday", openid=OPENID))
    await jobs.retain()
    kept = await found(connection, TEXT)
    service.clock.advance(timedelta(days=1, seconds=1))

    await jobs.retain()

    assert kept["callbacks"] == 1
    assert {"callbacks", "replies"} & (await found(connection, TEXT)).keys() == set()
    assert (await found(connection, "of yesterday")).keys() == {"callbacks"}
    assert await column(connection, "SELECT count(*) FROM callbacks") == [stored + 1]
    assert await column(connection, FULL) == [1]


async def test_tracebacks_go_as_well_and_what_they_were_of_stays(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """An error may quote the values of a statement: words of a follower, for one."""
    for days in (29, 31):
        await connection.execute(
            "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, traceback) "
            "VALUES ($1, 1, 'exception', 0, 'replies.deliver', $2::jsonb)",
            service.clock.now() - timedelta(days=days),
            f'{{"exception_message": "{days}"}}',
        )

    await jobs.retain()

    assert await column(
        connection, "SELECT traceback->>'exception_message' FROM pgqueuer_log ORDER BY created"
    ) == [None, "29"]


async def test_a_reply_that_may_still_be_sent_keeps_its_content(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    service.clock.advance(timedelta(days=31))

    await jobs.retain()

    assert await column(
        connection, "SELECT DISTINCT status FROM replies WHERE content <> '{}'"
    ) == ["pending"]


async def test_all_batches_of_a_backlog_are_cleared_and_what_is_locked_waits(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    now = service.clock.now()
    await old(connection, now - timedelta(days=40), 2500)
    await old(connection, now, 10)

    async with connection.transaction():
        await connection.execute("SELECT FROM callbacks ORDER BY received_at LIMIT 1 FOR UPDATE")
        cleared = await retain(database.sessions, inbox, now - timedelta(days=30))

    assert cleared == 2499
    assert await retain(database.sessions, inbox, now - timedelta(days=30)) == 1
    assert await column(connection, FULL) == [10]


async def test_between_two_batches_the_database_is_left_to_callbacks(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    now = service.clock.now()
    await old(connection, now - timedelta(days=40), 2500)
    paused: list[tuple[bool, int]] = []

    async def pause(seconds: float) -> None:
        paused.append((seconds > 0, await connection.fetchval(FULL)))

    cleared = await retain(database.sessions, inbox, now - timedelta(days=30), pause)

    assert cleared == 2500
    assert paused == [(True, 1500), (True, 500)]


async def test_retention_reads_only_what_it_clears(
    service: Service, connection: asyncpg.Connection
) -> None:
    await old(connection, service.clock.now(), 20_000)
    await connection.execute("ANALYZE callbacks")

    plan = await column(
        connection,
        "EXPLAIN SELECT id FROM callbacks WHERE payload <> '{}' AND received_at < $1 "
        "ORDER BY received_at LIMIT 1000 FOR UPDATE SKIP LOCKED",
        service.clock.now() - timedelta(days=30),
    )

    assert any("ix_callbacks_full" in line for line in plan), plan
