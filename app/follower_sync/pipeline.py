"""Makes several calls at a time and writes their answers one batch after the other."""

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
    """Ask each question, up to `at_once` at a time; write all answers that are ready each time.

    Memory is bounded: at most 2 × at_once questions and as many answers wait. While one write is
    under way further answers collect, so that slow commits become fewer. After the first ApiError
    no new question is asked; the error is raised when all answers are written. Any other error
    cancels everything.
    """
    asking: asyncio.Queue[Question | None] = asyncio.Queue(2 * at_once)
    writing: asyncio.Queue[Answer | None] = asyncio.Queue(2 * at_once)
    failures: list[ApiError] = []

    async def read_questions() -> None:
        try:
            async for question in questions:
                if failures:
                    break
                await asking.put(question)
        except ApiError as error:
            failures.append(error)
        for _ in range(at_once):
            await asking.put(None)

    async def ask_all() -> None:
        while (question := await asking.get()) is not None:
            if failures:
                continue
            try:
                await writing.put(await ask(question))
            except ApiError as error:
                failures.append(error)

    async def ask_concurrently() -> None:
        async with asyncio.TaskGroup() as calls:
            calls.create_task(read_questions())
            for _ in range(at_once):
                calls.create_task(ask_all())
        await writing.put(None)

    async def write_all() -> None:
        ended = False
        while not ended:
            ready = [await writing.get()]
            while not writing.empty():
                ready.append(writing.get_nowait())
            ended = ready[-1] is None
            answers = [answer for answer in ready if answer is not None]
            if answers:
                await write(answers)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(ask_concurrently())
            group.create_task(write_all())
    except ExceptionGroup as group_error:
        raise _first(group_error) from None
    if failures:
        raise failures[0]


def _first(group_error: ExceptionGroup[Exception]) -> Exception:
    error = group_error.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
