"""The database goes away: callbacks are acknowledged from disk, and recorded once it is back."""

import asyncio
import fcntl
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from app.callback import inbox as inbox_module
from app.callback.build_record import decide_spooled
from app.callback.errors import NotStored
from app.callback.inbox import FLUSH_SECONDS, Undecided
from app.callback.record import Record, StoredResult
from app.callback.spool import Spool
from app.db import embedded
from app.replies.jobs import DELIVER
from app.replies.send_windows import limits_from
from tests.callback.makers import (
    drained,
    locked,
    poisoned,
    record,
    running_inbox,
    with_card,
)
from tests.lock_waits import backend_waits
from tests.service import (
    Service,
    WorldClock,
    card,
    column,
    counted,
    message,
    of_answers,
    running,
    settings_for,
    text_reply,
)
from tests.waiting import eventually

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
SPOOLED = StoredResult(None, spooled=True)


async def left_behind(folder: Path, records: list[Record], *, limit: int = 1000) -> None:
    """Fill the spool as a process would that is gone now."""
    spool = Spool(folder, limit=limit)
    await spool.append(records)
    await spool.close()


@contextmanager
def frozen(processes: list[psutil.Process]) -> Iterator[None]:
    """Let processes hang: they keep their connections and answer nothing."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            process.resume()


def of_server(folder: Path) -> list[psutil.Process]:
    """Return every process of the Postgres under `folder`, the first one first."""
    pid = int((folder / embedded.FOLDER / "postmaster.pid").read_text().splitlines()[0])
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


async def test_a_blocked_database_sends_callbacks_to_the_spool_and_gets_them_later_once(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    records = [with_card(clock) for _ in range(5)]
    async with running_inbox(database_url, tmp_path) as inbox:
        async with locked(database_url):
            first = await asyncio.gather(*map(inbox.keep, records))
            # While the spool is in use nobody waits for the database any more.
            async with asyncio.timeout(FLUSH_SECONDS):
                assert await inbox.keep(record(clock)) == SPOOLED
            assert inbox.spool_status().count == 6
        await eventually(drained(inbox))
        assert await inbox.keep(record(clock)) == StoredResult(None)

    assert first == [SPOOLED] * 5
    assert await column(connection, "SELECT count(*) FROM callbacks") == [7]
    assert await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", DELIVER
    ) == [5]


async def test_a_connection_that_hangs_sends_callbacks_to_the_spool(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url, tmp_path) as inbox:
        await inbox.keep(record(clock))
        (pid,) = await column(
            connection,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()",
        )
        with frozen([psutil.Process(pid)]):
            async with asyncio.timeout(4):
                assert await inbox.keep(record(clock)) == SPOOLED
        await eventually(drained(inbox))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]


async def test_a_server_that_hangs_sends_callbacks_to_the_spool(
    postgres_dir: Path,
    database_url: str,
    tmp_path: Path,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    """A frozen machine or a lost cable: connections stay, and nothing comes back."""
    async with running_inbox(database_url, tmp_path) as inbox:
        await inbox.keep(record(clock))
        with frozen(of_server(postgres_dir)):
            async with asyncio.timeout(4):
                assert await inbox.keep(record(clock)) == SPOOLED
                assert await inbox.keep(record(clock)) == SPOOLED
        await eventually(drained(inbox))
        assert await inbox.keep(record(clock)) == StoredResult(None)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [4]


async def test_a_connection_lost_in_the_middle_of_a_flush_costs_nothing(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running_inbox(database_url, tmp_path) as inbox:
        async with locked(database_url):
            keeping = [asyncio.create_task(inbox.keep(record(clock))) for _ in range(3)]
            (pid,) = await eventually(backend_waits(connection))
            await connection.execute("SELECT pg_terminate_backend($1)", pid)
            assert await asyncio.gather(*keeping) == [SPOOLED] * 3
        await eventually(drained(inbox))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [3]


async def test_callbacks_are_recorded_in_the_order_in_which_they_came(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    records = [record(clock, text=f"number {number}") for number in range(1100)]
    await left_behind(tmp_path, records, limit=5000)

    async with running_inbox(database_url, tmp_path, limit=5000) as inbox:
        await eventually(drained(inbox))

    in_batches = await column(
        connection,
        "SELECT array_agg(substring(payload->>'Content' from 8)::int) FROM callbacks "
        "GROUP BY xmin::text ORDER BY min(substring(payload->>'Content' from 8)::int)",
    )
    assert [(min(batch), max(batch)) for batch in in_batches] == [
        (0, 499),
        (500, 999),
        (1000, 1099),
    ]


async def test_a_full_spool_means_not_stored_and_what_it_holds_is_kept(
    tmp_path: Path, clock: WorldClock
) -> None:
    async with running_inbox(NOWHERE, tmp_path, limit=3) as inbox:
        for _ in range(3):
            assert await inbox.keep(record(clock)) == SPOOLED
        with pytest.raises(NotStored):
            await inbox.keep(record(clock))
        assert inbox.spool_status().full

    spool = Spool(tmp_path, limit=3)
    assert await spool.count() == 3
    await spool.close()


async def test_a_disk_that_takes_nothing_means_not_stored(
    tmp_path: Path, clock: WorldClock
) -> None:
    async with running_inbox(NOWHERE, tmp_path) as inbox:
        await inbox.keep(record(clock))
        with sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None) as file:
            file.execute("DROP TABLE spooled")
        file.close()
        with pytest.raises(NotStored):
            await inbox.keep(record(clock))


async def test_a_duplicate_in_the_spool_gets_the_first_reply_and_has_one_effect(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    document = message(clock)
    first = record(clock, document, replies=(text_reply("first"), card()))
    second = record(clock, document, replies=(text_reply("second"), card()))
    async with running_inbox(database_url, tmp_path) as inbox:
        async with locked(database_url):
            answers = [await inbox.keep(first), await inbox.keep(second)]
        await eventually(drained(inbox))

    assert [answer.passive for answer in answers] == [first.passive] * 2
    assert await column(connection, "SELECT id FROM callbacks") == [first.id]
    assert await column(connection, of_answers("SELECT count(*) FROM answers")) == [2]


async def test_a_callback_that_was_committed_before_the_answer_got_lost_counts_once(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    one = with_card(clock)
    async with running_inbox(database_url) as inbox:
        await inbox.keep(one)
    await left_behind(tmp_path, [one, record(clock)])

    async with running_inbox(database_url, tmp_path) as inbox:
        await eventually(drained(inbox))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]
    assert await column(connection, "SELECT count(*) FROM replies") == [1]


async def test_a_spooled_callback_that_postgres_refuses_is_set_aside_and_the_others_go_on(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await left_behind(tmp_path, [record(clock), poisoned(clock), record(clock)])

    with capture_logs() as logged:
        async with running_inbox(database_url, tmp_path) as inbox:
            await eventually(drained(inbox))
            seen = inbox.spool_status().dead_letters
    async with running_inbox(database_url, tmp_path) as inbox:
        seen_after_a_restart = inbox.spool_status().dead_letters

    assert (seen, seen_after_a_restart) == (1, 1)
    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]
    assert "inbox.spooled_callback_refused" in [line["event"] for line in logged]
    with sqlite3.connect(tmp_path / "spool.sqlite3") as file:
        assert file.execute("SELECT count(*) FROM spooled WHERE refused = 1").fetchall() == [(1,)]
    file.close()


async def test_a_spooled_callback_that_nobody_can_read_does_not_hold_up_the_others(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    """Another version of the service may have left it there."""
    await left_behind(tmp_path, [record(clock), record(clock)])
    with sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None) as file:
        file.execute("UPDATE spooled SET record = '{}' WHERE id = 1")
    file.close()

    async with running_inbox(database_url, tmp_path) as inbox:
        await eventually(drained(inbox))
        assert await inbox.keep(record(clock)) == StoredResult(None)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]


async def test_two_processes_drain_one_spool_without_doing_it_twice(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await left_behind(tmp_path, [with_card(clock) for _ in range(700)])

    async with (
        running_inbox(database_url, tmp_path) as one,
        running_inbox(database_url, tmp_path) as two,
    ):
        await eventually(drained(one))
        await eventually(drained(two))
        assert await two.keep(record(clock)) == StoredResult(None)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [701]
    assert await column(connection, "SELECT count(*) FROM replies") == [700]


async def test_a_process_takes_over_the_draining_of_one_that_stopped(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with AsyncExitStack() as later:
        async with running_inbox(NOWHERE, tmp_path) as away:
            await away.keep(record(clock))
            await eventually(refused_the_lock(tmp_path))
            back = await later.enter_async_context(running_inbox(database_url, tmp_path))
            assert back.spool_status().count == 1
        await eventually(drained(back))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [1]


async def test_what_came_before_any_rules_were_loaded_is_decided_when_they_are(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    answered = with_card(clock)
    loaded = False

    def decide(undecided: Record) -> Record:
        if not loaded:
            raise Undecided
        return replace(undecided, decided=True, drafts=answered.drafts, rule_id=1)

    async with running_inbox(database_url, tmp_path, decide=decide) as inbox:
        assert await inbox.keep(record(clock, decided=False)) == SPOOLED
        assert await inbox.keep(record(clock)) == SPOOLED
        assert inbox.spool_status().count == 2
        loaded = True
        await eventually(drained(inbox))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]
    assert await column(connection, "SELECT msgtype FROM replies") == ["miniprogrampage"]


async def test_a_late_decision_queues_the_card_and_drops_the_passive_reply(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(text_reply("hello"), card())

    late = decide_spooled(
        service.app.state.rules.current, record(clock, decided=False), limits_from(service.settings)
    )

    assert late.passive is None
    assert [draft.msgtype for draft in late.drafts] == ["miniprogrampage"]


async def test_a_filled_spool_is_drained_after_a_restart_and_shown_until_then(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    async with running(settings_for(NOWHERE, tmp_path), clock) as service:
        for _ in range(4):
            assert (await service.push(message(clock))).content == b"success"
        metrics = (await service.look("/metrics")).text
        assert "oa_bridge_spool_callbacks 4.0" in metrics.splitlines()
        assert counted("spool_callbacks") == 4

    async with running(settings_for(database_url, tmp_path), clock) as service:
        await eventually(drained(service.inbox))
        ready = (await service.look("/readyz")).json()

    assert ready["parts"]["spool"]["count"] == 0
    assert await column(connection, "SELECT count(*) FROM callbacks") == [4]


async def test_a_rule_answers_passively_while_the_database_is_blocked(
    service: Service,
    database_url: str,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "FLUSH_SECONDS", 0.5)
    await service.add_rule(text_reply("hello"), card())
    async with locked(database_url):
        answers = await asyncio.gather(*(service.answer(message(clock)) for _ in range(3)))
        ready = (await service.look("/readyz")).json()
    await eventually(drained(service.inbox))

    assert [answer.reply["Content"] for answer in answers] == ["hello"] * 3
    assert ready["parts"]["spool"]["count"] == 3
    assert await column(connection, "SELECT count(*) FROM replies WHERE status = 'pending'") == [3]


async def test_without_a_spool_a_blocked_database_is_answered_503_and_nothing_is_promised(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    """More wait than one flush takes, so that some run into the budget of 4.0 s.

    Whose time was up may still be stored when the block ends with it: 503 promises nothing.
    """
    lost, slow, fine = (message(clock, text) for text in ("lost", "slow", "fine"))
    before = counted("refusals_total", reason="not_stored")
    async with running(settings_for(database_url, tmp_path, spool="off"), clock) as service:
        async with locked(database_url):
            early = asyncio.create_task(service.push(lost))
            await eventually(backend_waits(connection))
            late = asyncio.create_task(service.push(slow))
            answers = await asyncio.gather(early, late)
        again = await service.push(fine)

    assert [(answer.status_code, answer.text) for answer in answers] == [(503, "try again")] * 2
    assert again.content == b"success"
    assert counted("refusals_total", reason="not_stored") >= before + 1
    stored = set(await column(connection, "SELECT payload ->> 'Content' FROM callbacks"))
    assert {"fine"} <= stored <= {"slow", "fine"}


def refused_the_lock(folder: Path) -> Callable[[], Awaitable[bool]]:
    """Tell whether somebody else has the right to drain the spool in `folder`."""

    async def look() -> bool:
        with (folder / "spool.lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    return look


async def test_a_server_that_hangs_in_the_middle_of_a_statement_sends_callbacks_to_the_spool(
    database_url: str,
    postgres_dir: Path,
    tmp_path: Path,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    async with running_inbox(database_url, tmp_path) as inbox:
        await inbox.keep(record(clock))
        async with locked(database_url):
            keeping = asyncio.create_task(inbox.keep(with_card(clock)))
            await eventually(backend_waits(connection))
            with frozen(of_server(postgres_dir)):
                async with asyncio.timeout(FLUSH_SECONDS + 1.5):
                    assert await keeping == SPOOLED
        await eventually(drained(inbox))

    assert await column(connection, "SELECT count(*) FROM callbacks") == [2]


async def test_a_loop_that_is_too_busy_to_read_does_not_take_the_database_for_unavailable(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    async with running_inbox(database_url, tmp_path) as inbox:
        await inbox.keep(record(clock))
        keeping = asyncio.create_task(inbox.keep(record(clock)))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(FLUSH_SECONDS + 0.5)  # noqa: ASYNC251 - the loop is busy, and reads nothing

        assert await keeping == StoredResult(None)
