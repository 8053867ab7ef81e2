"""Follows and unfollows of one person within one second, and the retries of each."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from app.callback.record import Record
from app.callback.repeated_follows import with_next_key
from app.callback.spool import Spool
from app.wechat.inbound.dedupe import digest_of
from tests.callback.makers import drained, record, running_inbox
from tests.service import APPID, OPENID, Json, Service, WorldClock, card, column, event
from tests.waiting import eventually

S, U = "subscribe", "unsubscribe"
ACTIONS = "SELECT action FROM follow_events ORDER BY id"
FOLLOWING = "SELECT following FROM followers"
NAMES = {S: "follow", U: "unfollow"}
SOON, RETRY = timedelta(milliseconds=300), timedelta(seconds=5)

CHANGES = [[S, U, S], [U, S, U], [S, U, S, U, S]]


def pushes(clock: WorldClock, names: Sequence[str]) -> list[Json]:
    """Events of one second: those of one name are equal."""
    return [event(clock, name, EventKey="") for name in names]


def records(clock: WorldClock, documents: Sequence[Json]) -> list[Record]:
    made = []
    for document in documents:
        made.append(record(clock, document))
        clock.advance(SOON)
    return made


@pytest.mark.parametrize("names", CHANGES, ids="".join)
async def test_each_change_of_one_second_counts_and_no_retry_does(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, names: list[str]
) -> None:
    documents = pushes(clock, names)
    for document in documents:
        await service.push(document)
        clock.advance(SOON)
    expected = [NAMES[name] for name in names]
    stored = await column(connection, ACTIONS)
    clock.advance(RETRY)
    for document in (*reversed(documents), *documents):
        assert (await service.push(document)).content == b"success"

    assert stored == expected
    assert await column(connection, ACTIONS) == expected
    assert await column(connection, "SELECT count(*) FROM callbacks") == [len(names)]
    assert await column(connection, FOLLOWING) == [names[-1] == S]


@pytest.mark.parametrize("name", [S, U])
async def test_copies_that_come_at_once_have_one_effect(
    service: Service, connection: asyncpg.Connection, clock: WorldClock, name: str
) -> None:
    [opposite, copy] = pushes(clock, [U if name == S else S, name])
    await service.push(opposite)

    await asyncio.gather(*(service.push(copy) for _ in range(4)))

    assert len(await column(connection, ACTIONS)) == 2


async def test_an_opposite_event_of_another_second_or_person_makes_no_copy_another_push(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    [copy, left] = pushes(clock, [S, U])
    await service.push(copy)
    await service.push(left | {"FromUserName": "oSOMEBODY-ELSE"})
    await service.push(left | {"CreateTime": clock.seconds - 1})
    await service.push(copy)

    assert sorted(await column(connection, ACTIONS)) == ["follow", "unfollow", "unfollow"]


@pytest.mark.parametrize("names", CHANGES, ids="".join)
async def test_changes_that_share_a_commit_count_each(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock, names: list[str]
) -> None:
    made = records(clock, pushes(clock, names))
    async with running_inbox(database_url) as inbox:
        results = await asyncio.gather(*(inbox.keep(one) for one in made))

    assert [result.duplicate for result in results] == [False] * len(names)
    assert await column(connection, ACTIONS) == [NAMES[name] for name in names]


@pytest.mark.parametrize("names", CHANGES, ids="".join)
async def test_changes_in_the_spool_count_each_and_no_retry_does(
    database_url: str,
    tmp_path: Path,
    connection: asyncpg.Connection,
    clock: WorldClock,
    names: list[str],
) -> None:
    documents = pushes(clock, names)
    spool = Spool(tmp_path, limit=100)
    for one in records(clock, documents):
        await spool.append([one])
    clock.advance(RETRY)
    await spool.append(records(clock, documents))
    assert await spool.count() == len(names)
    await spool.close()

    async with running_inbox(database_url, tmp_path) as inbox:
        await eventually(drained(inbox))

    assert await column(connection, ACTIONS) == [NAMES[name] for name in names]


async def test_a_change_in_the_spool_is_told_from_those_that_are_stored(
    database_url: str, tmp_path: Path, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    first, *rest = records(clock, pushes(clock, [S, U, S]))
    async with running_inbox(database_url) as inbox:
        await inbox.keep(first)
    spool = Spool(tmp_path, limit=100)
    await spool.append(rest)
    await spool.close()

    async with running_inbox(database_url, tmp_path) as inbox:
        await eventually(drained(inbox))

    assert await column(connection, ACTIONS) == ["follow", "unfollow", "follow"]


async def test_who_comes_back_within_the_second_is_welcomed(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await service.add_rule(card(), trigger={"on": "subscribe"})
    for document in pushes(clock, [S, U, S]):
        await service.push(document)

    statuses = "SELECT status FROM replies WHERE appid = $1 AND openid = $2 ORDER BY created_at, id"
    assert sorted(await column(connection, statuses, APPID, OPENID)) == ["pending", "skipped"]


def test_the_next_key_is_the_same_whether_or_not_a_version_begins_keys_with_the_time(
    clock: WorldClock,
) -> None:
    [document] = pushes(clock, [S])
    present = record(clock, document, replies=(card(),))
    earlier = replace(present, dedupe_key=digest_of(present.dedupe_key))

    nexts = [with_next_key(one) for one in (present, earlier)]

    assert [digest_of(one.dedupe_key) for one in nexts] == [nexts[1].dedupe_key] * 2
    assert nexts[0].drafts == nexts[1].drafts


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[str], list[tuple[float, str]]]:
    """Return changes of one second, and when each push of them arrives, repetitions included.

    Every change arrives less than 4 s after the first one, every repetition 5 s after its original
    at the earliest, as WeChat promises.
    """
    offsets = sorted(draw(st.lists(st.floats(0, 3.9), min_size=1, max_size=6, unique=True)))
    first = draw(st.sampled_from([S, U]))
    names = [(S if first == U else U) if number % 2 else first for number in range(len(offsets))]
    repeated = st.lists(st.tuples(st.integers(0, len(names) - 1), st.floats(5, 20)), max_size=8)
    repetitions = [(offsets[index] + later, names[index]) for index, later in draw(repeated)]
    pushed = [*zip(offsets, names, strict=True), *repetitions]
    return names, sorted(pushed, key=lambda push: push[0])


@settings_of_hypothesis(deadline=None, max_examples=60)
@given(arrivals())
def test_what_arrives_in_time_counts_once_however_it_is_repeated(
    case: tuple[list[str], list[tuple[float, str]]],
) -> None:
    names, pushed = case

    assert asyncio.run(kept(pushed)) == [NAMES[name] for name in names]


async def kept(pushed: Sequence[tuple[float, str]]) -> list[str]:
    """Return the follows and unfollows that a spool keeps of pushes of one second."""
    clock = WorldClock()
    began, documents = clock.now(), dict(zip((S, U), pushes(clock, (S, U)), strict=True))
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder), limit=100)
        for offset, name in pushed:
            clock.advance(began + timedelta(seconds=offset) - clock.now())
            await spool.append([record(clock, documents[name])])
        found = [one.read().follow for one in await spool.oldest(100)]
        await spool.close()
    return [follow.action.value for follow in found if follow is not None]
