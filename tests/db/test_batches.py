"""Tasks that ask for something at the same time share a call."""

import asyncio
from collections.abc import Sequence

import pytest

from app.db.batches import Batches


class Squares:
    """Squares numbers, and notes which ones it was given together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_run = asyncio.Event()
        self.batches = Batches(self.run, most=3)

    async def run(self, numbers: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(numbers))
        await self.may_run.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [number * number for number in numbers]

    def ask(self, *numbers: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.batches.do(number)) for number in numbers]


async def turns() -> None:
    """Let every task do what it can do now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_that_ask_at_the_same_time_share_a_call_of_limited_size() -> None:
    squares = Squares()
    asked = squares.ask(1, 2, 3, 4)
    await turns()
    squares.may_run.set()

    assert await asyncio.gather(*asked) == [1, 4, 9, 16]
    assert squares.calls == [[1, 2, 3], [4]]


async def test_those_that_come_during_a_call_share_the_next_one() -> None:
    squares = Squares()
    first = squares.ask(1)
    await turns()
    later = squares.ask(2, 3)
    await turns()
    squares.may_run.set()

    assert await asyncio.gather(*first, *later) == [1, 4, 9]
    assert squares.calls == [[1], [2, 3]]
    assert await squares.batches.do(5) == 25


async def test_an_error_is_that_of_the_whole_call_and_of_no_other_one() -> None:
    squares = Squares()
    asked = squares.ask(1, 0, 2, 3)
    squares.may_run.set()

    found = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(one) for one in found[:3]] == [ZeroDivisionError] * 3
    assert found[3] == 9


async def test_who_is_cancelled_before_the_call_is_left_out_of_it() -> None:
    squares = Squares()
    first = squares.ask(1)
    await turns()
    gone, stays = squares.ask(2, 3)
    await turns()
    gone.cancel()
    await turns()
    squares.may_run.set()

    assert await asyncio.gather(*first, stays) == [1, 9]
    assert squares.calls == [[1], [3]]


async def test_nobody_waits_for_a_call_that_was_cancelled() -> None:
    squares = Squares()
    asked = squares.ask(1, 2, 3, 4)
    await turns()
    running = squares.batches._running
    assert running is not None
    running.cancel()

    for task in asked:
        with pytest.raises(asyncio.CancelledError):
            await task
