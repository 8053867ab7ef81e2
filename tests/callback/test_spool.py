"""The spool: callbacks on disk, in order, bounded, shared by the processes of a machine."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.callback.record import RECORDS, Record
from app.callback.spool import Spool, SpoolFull
from tests.callback.makers import record, with_card
from tests.service import Json, WorldClock, card, event, message, text_reply


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    opened = Spool(tmp_path, limit=10)
    yield opened
    await opened.close()


def many(clock: WorldClock, number: int) -> list[Record]:
    return [record(clock) for _ in range(number)]


def modes_of(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("spool.sqlite3*")}


async def held(spool: Spool, limit: int = 100) -> Sequence[Record]:
    return [item.read() for item in await spool.oldest(limit)]


async def test_what_is_appended_comes_back_in_order_and_whole(
    spool: Spool, clock: WorldClock
) -> None:
    popup: Json = {
        "SubscribeMsgPopupEvent": {
            "List": [
                {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"},
                {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "1"},
            ]
        }
    }
    records = [
        record(clock, replies=(card("汉字 ]]> \u2028"), text_reply("hello"))),
        record(clock, event(clock, "subscribe", EventKey="qrscene_7", Ticket="T")),
        record(clock, event(clock, "subscribe_msg_popup_event", **popup)),
        record(clock, decided=False),
    ]

    for one in records:
        await spool.append([one])

    assert await held(spool) == records


async def test_the_oldest_come_first_and_go_when_they_are_removed(
    spool: Spool, clock: WorldClock
) -> None:
    records = many(clock, 5)
    await spool.append(records)

    first = await spool.oldest(2)
    await spool.mark_drained(first[-1].number)
    await spool.remove_drained()

    assert [item.read() for item in first] == records[:2]
    assert await held(spool) == records[2:]
    assert await spool.count() == 3


async def test_a_copy_is_kept_once_and_gets_the_passive_reply_of_the_first(
    spool: Spool, clock: WorldClock
) -> None:
    document = message(clock)
    first, second = (
        record(clock, document, replies=(text_reply(words),)) for words in ("first", "second")
    )

    answers = [await spool.append([first]), await spool.append([second, second])]

    assert answers == [[first.passive], [first.passive, first.passive]]
    assert await held(spool) == [first]


async def test_the_limit_is_reached_exactly_and_a_batch_that_does_not_fit_leaves_nothing(
    spool: Spool, clock: WorldClock
) -> None:
    await spool.append(many(clock, 9))

    with pytest.raises(SpoolFull):
        await spool.append(many(clock, 2))
    assert await spool.count() == 9

    await spool.append(many(clock, 1))
    with pytest.raises(SpoolFull):
        await spool.append(many(clock, 1))
    assert await spool.count() == 10


async def test_room_made_is_room_again(spool: Spool, clock: WorldClock) -> None:
    await spool.append(many(clock, 10))
    await spool.mark_drained((await spool.oldest(4))[-1].number)
    await spool.remove_drained()

    await spool.append(many(clock, 4))

    assert await spool.count() == 10


async def test_what_is_set_aside_stays_on_disk_out_of_the_way(
    spool: Spool, tmp_path: Path, clock: WorldClock
) -> None:
    records = many(clock, 3)
    await spool.append(records)

    await spool.dead_letter((await spool.oldest(1))[0].number)

    assert await held(spool) == records[1:]
    assert await spool.count() == 2
    with sqlite3.connect(tmp_path / "spool.sqlite3") as file:
        kept = file.execute("SELECT record FROM spooled WHERE refused = 1").fetchall()
    file.close()
    assert [RECORDS.validate_json(data) for (data,) in kept] == records[:1]


async def test_two_processes_append_to_one_file_at_once(tmp_path: Path, clock: WorldClock) -> None:
    spools = [Spool(tmp_path, limit=1000) for _ in range(2)]
    records = many(clock, 60)

    await asyncio.gather(*(spools[number % 2].append([one]) for number, one in enumerate(records)))

    numbers = [item.number for item in await spools[0].oldest(1000)]
    assert numbers == sorted(numbers)
    assert {one.id for one in await held(spools[1], 1000)} == {one.id for one in records}
    for spool in spools:
        await spool.close()


async def test_processes_that_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(60)]
    for folder in folders:
        spools = [Spool(folder, limit=10) for _ in range(3)]

        assert await asyncio.gather(*(spool.count() for spool in spools)) == [0, 0, 0]
        for spool in spools:
            await spool.close()


async def test_the_limit_holds_for_all_processes_together(
    tmp_path: Path, clock: WorldClock
) -> None:
    one, two = (Spool(tmp_path, limit=10) for _ in range(2))
    await one.append(many(clock, 6))

    with pytest.raises(SpoolFull):
        await two.append(many(clock, 5))

    await two.append(many(clock, 4))
    assert await one.count() == 10
    await one.close()
    await two.close()


async def test_one_process_at_a_time_may_drain(tmp_path: Path) -> None:
    one, two = (Spool(tmp_path, limit=10) for _ in range(2))

    assert [one.may_drain(), two.may_drain(), one.may_drain()] == [True, False, True]
    one.leave_draining()
    assert [two.may_drain(), one.may_drain()] == [True, False]
    await two.close()
    assert one.may_drain()
    await one.close()


async def test_a_process_that_died_gives_the_right_to_drain_back(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from app.callback.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), limit=1)\n"
        "print(spool.may_drain(), flush=True); sys.stdin.read()"
    )
    dying = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        str(tmp_path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert dying.stdout is not None
    assert await dying.stdout.readline() == b"True\n"
    spool = Spool(tmp_path, limit=1)
    before = spool.may_drain()

    dying.kill()
    await dying.wait()

    assert (before, spool.may_drain()) == (False, True)
    await spool.close()


async def test_what_append_returned_from_survives_a_kill(tmp_path: Path, clock: WorldClock) -> None:
    one = with_card(clock)
    data = RECORDS.dump_json(one)
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from app.callback.record import RECORDS; from app.callback.spool import Spool\n"
        "record = RECORDS.validate_json(sys.stdin.buffer.read())\n"
        "asyncio.run(Spool(Path(sys.argv[1]), limit=9).append([record]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, str(tmp_path)], input=data, check=False
    )

    spool = Spool(tmp_path, limit=9)
    assert ended.returncode == -9
    assert await held(spool) == [one]
    await spool.close()


async def test_nobody_else_may_read_the_file(
    spool: Spool, tmp_path: Path, clock: WorldClock
) -> None:
    await spool.append(many(clock, 1))

    assert await asyncio.to_thread(modes_of, tmp_path) == {0o600}


async def test_a_folder_that_takes_no_file_is_an_error_and_no_promise(
    tmp_path: Path, clock: WorldClock
) -> None:
    (tmp_path / "spool.sqlite3").mkdir()
    spool = Spool(tmp_path, limit=10)

    with pytest.raises((OSError, sqlite3.Error)):
        await spool.append(many(clock, 1))
    await spool.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.text(), key=st.binary(min_size=16, max_size=16))
def test_a_record_reads_back_as_it_was_written(clock: WorldClock, words: str, key: bytes) -> None:
    one = replace(record(clock), dedupe_key=key, payload=words.encode("utf-8", "ignore").decode())

    assert RECORDS.validate_json(RECORDS.dump_json(one)) == one
