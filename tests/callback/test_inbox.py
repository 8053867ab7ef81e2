"""The inbox: acknowledged means committed, commits are shared, a bad one fails alone."""

import asyncio
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from app.callback.errors import BadData, CooldownLost, NotStored
from app.callback.inbox import Inbox
from app.callback.record import Claim, Record, StoredResult
from app.db.engine import connect
from app.replies.jobs import DELIVER
from tests.callback.makers import (
    locked,
    poisoned,
    record,
    running_inbox,
    with_card,
)
from tests.lock_waits import backend_waits
from tests.service import WorldClock, column, counted, message
from tests.waiting import eventually


async def kept(inbox: Inbox, records: list[Record]) -> list[StoredResult | BaseException]:
    """Keep records at the same moment; return what became of each."""
    return await asyncio.gather(*map(inbox.keep, records), return_exceptions=True)


async def test_a_record_is_there_for_everybody_when_keep_returns(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        for _ in range(5):
            one = record(clock)
            assert await inbox.keep(one) == StoredResult(None)
            assert await column(connection, "SELECT id FROM callbacks WHERE id = $1", one.id)


async def test_what_arrives_during_a_flush_shares_the_next_one(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    before = counted("commit_batch_size_count"), counted("commit_batch_size_sum")
    async with running_inbox(database_url) as inbox:
        async with locked(database_url):
            first = asyncio.create_task(inbox.keep(record(clock)))
            await eventually(backend_waits(connection))
            rest = asyncio.gather(*(inbox.keep(record(clock)) for _ in range(40)))
            await asyncio.sleep(0)
        await first
        await rest

    after = counted("commit_batch_size_count"), counted("commit_batch_size_sum")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 41)
    assert await column(connection, "SELECT count(*) FROM callbacks") == [41]


async def test_a_burst_larger_than_a_flush_is_kept_whole(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        outcomes = await kept(inbox, [record(clock) for _ in range(1203)])

    assert outcomes == [StoredResult(None)] * 1203
    assert await column(connection, "SELECT count(*) FROM callbacks") == [1203]


async def test_copies_at_once_in_two_processes_have_one_effect(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    documents = [message(clock) for _ in range(20)]
    async with running_inbox(database_url) as one, running_inbox(database_url) as two:
        groups = await asyncio.gather(
            *(
                kept(inbox, [with_card(clock, document) for document in documents])
                for inbox in (one, two, one)
            )
        )

    outcomes = [outcome for group in groups for outcome in group]
    assert sum(outcome == StoredResult(None) for outcome in outcomes) == 20
    assert sum(isinstance(one, StoredResult) and one.duplicate for one in outcomes) == 40
    assert await column(connection, "SELECT count(*) FROM callbacks") == [20]
    assert await column(connection, "SELECT count(*) FROM replies") == [20]
    assert await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", DELIVER
    ) == [20]


async def test_a_record_that_postgres_cannot_hold_fails_alone(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    batch = [record(clock) for _ in range(9)]
    for place in (0, 4, 8):
        batch[place] = poisoned(clock)
    async with running_inbox(database_url) as inbox:
        outcomes = await kept(inbox, batch)

    refused = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, BadData)]
    assert refused == [0, 4, 8]
    assert sum(outcome == StoredResult(None) for outcome in outcomes) == 6
    assert await column(connection, "SELECT count(*) FROM callbacks") == [6]


async def test_a_record_that_postgres_cannot_hold_is_not_spooled(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    async with running_inbox(database_url, tmp_path) as inbox:
        with pytest.raises(BadData):
            await inbox.keep(poisoned(clock))
        assert await inbox.keep(record(clock)) == StoredResult(None)
        assert inbox.spool_status().count == 0


async def test_a_request_that_gave_up_does_not_hurt_the_batch_it_was_in(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        async with locked(database_url):
            given_up = asyncio.create_task(inbox.keep(record(clock)))
            await eventually(backend_waits(connection))
            others = [asyncio.create_task(inbox.keep(record(clock))) for _ in range(3)]
            await asyncio.sleep(0)
            given_up.cancel()
            others[1].cancel()
        outcomes = await asyncio.gather(given_up, *others, return_exceptions=True)

    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [
        True,
        False,
        True,
        False,
    ]


async def test_two_processes_that_meet_in_opposite_order_do_not_deadlock(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    people = [f"oPERSON{number:022d}" for number in range(40)]
    async with running_inbox(database_url) as one, running_inbox(database_url) as two:
        for _ in range(10):
            shared = [message(clock, openid=openid) for openid in people]
            mine, yours = ([message(clock, openid=openid) for openid in people] for _ in range(2))
            outcomes = await asyncio.gather(
                kept(one, [record(clock, document) for document in shared + mine]),
                kept(two, [record(clock, document) for document in (shared + yours)[::-1]]),
            )
            assert all(isinstance(outcome, StoredResult) for group in outcomes for outcome in group)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [10 * 3 * 40]
    assert await column(connection, "SELECT count(*) FROM openids") == [40]
    assert await column(
        connection, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    ) == [0]


async def test_without_a_spool_a_blocked_database_means_not_stored_and_no_false_success(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        async with locked(database_url):
            with pytest.raises(NotStored):
                await inbox.keep(record(clock))
        assert await inbox.keep(record(clock)) == StoredResult(None)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [1]


async def test_a_connection_that_was_cut_is_opened_again(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        await inbox.keep(record(clock))
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert await inbox.keep(record(clock)) == StoredResult(None)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]


async def test_stop_waits_for_what_is_being_kept(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        keeping = [asyncio.create_task(inbox.keep(record(clock))) for _ in range(30)]
        await asyncio.sleep(0)

    assert [task.result() for task in keeping] == [StoredResult(None)] * 30
    assert await column(connection, "SELECT count(*) FROM callbacks") == [30]


async def test_a_backend_is_left_with_no_open_transaction(
    database_url: str, clock: WorldClock
) -> None:
    async with running_inbox(database_url) as inbox:
        await inbox.keep(record(clock))
        with pytest.raises(BadData):
            await inbox.keep(poisoned(clock))
        other = await connect(database_url)
        states = await column(
            other,
            "SELECT state FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'oa-bridge' AND pid <> pg_backend_pid() "
            "AND state LIKE 'idle in transaction%'",
        )
        await other.close()

    assert states == []


async def test_who_is_beaten_gives_back_the_turn_that_it_has_won(
    database_url: str, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    """It is decided anew, and must find the rules that it has won free."""
    first, second = Claim(1, cooldown_seconds=60), Claim(2, cooldown_seconds=60)
    fired = "SELECT rule_id FROM rule_firings ORDER BY rule_id"
    async with running_inbox(database_url) as inbox:
        await inbox.keep(replace(record(clock), claims=(second,)))
        push = replace(record(clock), claims=(first, second))
        with pytest.raises(CooldownLost) as beaten:
            await inbox.keep(push)
        assert beaten.value.rule_ids == {2}
        assert await column(connection, fired) == [2]
        assert await column(connection, "SELECT count(*) FROM callbacks") == [1]

        await inbox.keep(replace(push, claims=(first,)))

    assert await column(connection, fired) == [1, 2]
    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]
