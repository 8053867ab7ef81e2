"""A full disk: nothing is lost, nothing is committed twice, and nothing is held up by it."""

import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from app.callback.drain_mark import DrainMark
from app.callback.record import StoredResult
from app.callback.reserve import RESERVE_BYTES, Reserve
from app.callback.spool import Spool
from tests.callback.makers import drained, record, running_inbox
from tests.service import WorldClock, column
from tests.waiting import eventually

COUNT = "SELECT count(*) FROM callbacks"


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file of this process grows any more, as on a disk without room; reserves are gone, too."""
    largest = max(file.stat().st_size for file in folder.glob("spool.sqlite3*"))
    (folder / "spool.reserve").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path, limit=1000)
    yield spool
    await spool.close()


async def test_pushes_are_committed_directly_though_the_spool_cannot_be_emptied(
    database_url: str,
    tmp_path: Path,
    connection: asyncpg.Connection,
    clock: WorldClock,
    spool: Spool,
) -> None:
    await spool.append([record(clock) for _ in range(300)])

    with full_disk(tmp_path):
        async with running_inbox(database_url, tmp_path) as inbox:
            await eventually(drained(inbox))
            assert await inbox.keep(record(clock)) == StoredResult(None)

    assert await column(connection, COUNT) == [301]


async def test_what_is_committed_is_deleted_once_there_is_room_and_not_committed_again(
    database_url: str,
    tmp_path: Path,
    connection: asyncpg.Connection,
    clock: WorldClock,
    spool: Spool,
) -> None:
    await spool.append([record(clock) for _ in range(300)])
    with full_disk(tmp_path):
        async with running_inbox(database_url, tmp_path) as inbox:
            await eventually(drained(inbox))
    with sqlite3.connect(tmp_path / "spool.sqlite3") as file:
        assert file.execute("SELECT count(*) FROM spooled").fetchone() == (300,)
    await connection.execute("DELETE FROM callbacks")

    async with running_inbox(database_url, tmp_path) as inbox:
        assert await inbox.keep(record(clock)) == StoredResult(None)
        await inbox.remove_drained()

    with sqlite3.connect(tmp_path / "spool.sqlite3") as file:
        assert file.execute("SELECT count(*) FROM spooled").fetchone() == (0,)
    assert await column(connection, COUNT) == [1]


async def test_other_processes_of_the_machine_see_that_the_spool_is_drained(
    tmp_path: Path, clock: WorldClock, spool: Spool
) -> None:
    await spool.append([record(clock) for _ in range(3)])
    other = Spool(tmp_path, limit=1000)
    assert await other.count() == 3

    await spool.mark_drained((await spool.oldest(2))[-1].number)

    assert await other.count() == 1
    await other.close()


async def test_the_reserve_lets_a_full_disk_be_emptied(
    tmp_path: Path, clock: WorldClock, spool: Spool
) -> None:
    await spool.append([record(clock) for _ in range(300)])
    await spool.mark_drained((await spool.oldest(300))[-1].number)
    assert (tmp_path / "spool.reserve").stat().st_size == RESERVE_BYTES

    await spool.remove_drained()

    assert await spool.count() == 0


async def test_a_dead_letter_stays_though_the_mark_passes_it(
    spool: Spool, clock: WorldClock
) -> None:
    await spool.append([record(clock) for _ in range(3)])
    numbers = [item.number for item in await spool.oldest(3)]
    await spool.dead_letter(numbers[1])

    await spool.mark_drained(numbers[-1])
    await spool.remove_drained()

    assert [item.number for item in await spool.dead_letters()] == [numbers[1]]


async def test_a_dead_letter_that_an_operator_puts_back_is_pending_again(
    spool: Spool, tmp_path: Path, clock: WorldClock
) -> None:
    await spool.append([record(clock) for _ in range(3)])
    numbers = [item.number for item in await spool.oldest(3)]
    await spool.dead_letter(numbers[1])
    await spool.mark_drained(numbers[-1])
    await spool.remove_drained()

    with sqlite3.connect(tmp_path / "spool.sqlite3") as file:
        file.execute("UPDATE spooled SET refused = 0 WHERE refused = 1")
    file.close()

    assert [item.number for item in await spool.oldest(3)] == [numbers[1]]


def test_a_mark_of_an_earlier_spool_counts_for_nothing(tmp_path: Path) -> None:
    mark = DrainMark(tmp_path / "mark", b"a" * 16)
    mark.write(500)
    mark.close()

    assert DrainMark(tmp_path / "mark", b"a" * 16).read() == 500
    assert DrainMark(tmp_path / "mark", b"b" * 16).read() == 0


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 24])
def test_a_damaged_mark_counts_for_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mark").write_bytes(content)

    assert DrainMark(tmp_path / "mark", b"a" * 16).read() == 0


def test_a_reserve_is_given_up_and_taken_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    reserve.fill()
    reserve.release()
    assert (tmp_path / "reserve").stat().st_size == 0

    reserve.fill()
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES
