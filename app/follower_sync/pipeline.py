"""Calls several at once, one writer for all of them, bounded memory, an end in good order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from app.wechat.errors import ApiError

Question = TypeVar("Question")
Answer = TypeVar("Answer")


async def run(
    questions: AsyncIterator[Question],
    ask: Callable[[Question], Awaitable[Answer]],
    write: Callable[[Sequence[Answer]], Awaitable[None]],
    *,
    at_once: int,
) -> None:
    """Ask each question, `at_once` at a time; write the answers, all that have come each time.

    Questions are drawn a little ahead. While one write is under way the next answers gather, so
    that slow commits are few ones. After the first ApiError nothing new is asked; it is raised
    once all that was answered is written. Any other error cancels what is under way.
    """
    asking: asyncio.Queue[Question | None] = asyncio.Queue(2 * at_once)
    writing: asyncio.Queue[Answer | None] = asyncio.Queue(2 * at_once)
    failures: list[ApiError] = []

    async def draw() -> None:
        try:
            async for question in questions:
                if failures:
                    break
                await asking.put(question)
        except ApiError as error:
            failures.append(error)
        for _ in range(at_once):
            await asking.put(None)

    async def put() -> None:
        while (question := await asking.get()) is not None:
            if failures:
                continue
            try:
                await writing.put(await ask(question))
            except ApiError as error:
                failures.append(error)

    async def gather() -> None:
        async with asyncio.TaskGroup() as askers:
            askers.create_task(draw())
            for _ in range(at_once):
                askers.create_task(put())
        await writing.put(None)

    async def keep() -> None:
        ended = False
        while not ended:
            came = [await writing.get()]
            while not writing.empty():
                came.append(writing.get_nowait())
            ended = came[-1] is None
            answers = [answer for answer in came if answer is not None]
            if answers:
                await write(answers)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(gather())
            group.create_task(keep())
    except ExceptionGroup as several:
        raise _first(several) from None
    if failures:
        raise failures[0]


def _first(several: ExceptionGroup[Exception]) -> Exception:
    error = several.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
