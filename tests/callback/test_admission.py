"""Of too many pushes at once those that can't be stored in time are refused, and cheaply."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.callback import admission
from app.callback.admission import Admission
from tests.callback.makers import locked
from tests.lock_waits import backend_waits
from tests.service import (
    Service,
    WorldClock,
    column,
    counted,
    message,
    running,
    settings_for,
)
from tests.waiting import eventually

LIMIT = 3


@pytest.fixture
async def service(database_url: str, tmp_path: Path, clock: WorldClock) -> AsyncIterator[Service]:
    settings = settings_for(database_url, tmp_path, inbox_max_waiting=LIMIT, spool="off")
    async with running(settings, clock) as service:
        yield service


async def test_beyond_the_limit_pushes_wait_at_the_door_and_are_stored(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    answers = await asyncio.gather(
        *(service.push(message(clock, f"text {number}")) for number in range(10 * LIMIT))
    )

    assert [answer.status_code for answer in answers] == [200] * 10 * LIMIT
    assert await column(connection, "SELECT count(*) FROM callbacks") == [10 * LIMIT]


async def test_what_waits_too_long_is_refused_unread_and_told_in_one_line_a_second(
    service: Service,
    database_url: str,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admission, "MAX_WAIT_SECONDS", 0.05)
    before = counted("refusals_total", reason="overloaded")

    async with locked(database_url):
        with capture_logs() as logged:
            inside = [
                asyncio.create_task(service.push(message(clock, f"in {number}")))
                for number in range(LIMIT)
            ]
            await eventually(backend_waits(connection))
            refused = await asyncio.gather(
                *(service.push(message(clock, f"out {number}")) for number in range(20))
            )
    await asyncio.gather(*inside)

    assert [answer.status_code for answer in refused] == [503] * 20
    assert counted("refusals_total", reason="overloaded") == before + 20
    assert 1 <= sum(line["event"] == "callback.overloaded" for line in logged) <= 3


async def test_a_request_that_ends_at_the_door_leaves_its_place_to_others() -> None:
    door = Admission(1)
    assert await door.enter()
    given_up = asyncio.create_task(door.enter())
    waiting = asyncio.create_task(door.enter())
    await asyncio.sleep(0)

    given_up.cancel()
    door.leave()

    assert await waiting
    door.leave()
    assert await door.enter()


async def test_a_turn_that_comes_with_the_end_of_the_request_is_handed_on() -> None:
    door = Admission(1)
    assert await door.enter()
    first, second = (asyncio.create_task(door.enter()) for _ in range(2))
    await asyncio.sleep(0)

    door.leave()
    first.cancel()

    assert await second


@given(st.lists(st.sampled_from(["enter", "leave", "cancel"]), max_size=60))
def test_never_more_than_the_limit_are_inside_and_no_place_is_lost(steps: list[str]) -> None:
    async def play() -> None:
        door, inside, tasks = Admission(LIMIT), 0, list[asyncio.Task[bool]]()
        for step in steps:
            if step == "enter":
                tasks.append(asyncio.create_task(door.enter()))
            elif step == "leave" and inside:
                door.leave()
                inside -= 1
            elif step == "cancel" and tasks:
                tasks.pop().cancel()
            for _ in range(3):
                await asyncio.sleep(0)
            admitted = [task for task in tasks if task.done() and not task.cancelled()]
            inside += len(admitted)
            tasks = [task for task in tasks if not task.done()]
            assert inside <= LIMIT
            assert not tasks or inside == LIMIT
        for task in tasks:
            task.cancel()

    asyncio.run(play())
