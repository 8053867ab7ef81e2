"""Live lists: one query for all, no connection for a browser, and an end with the server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.types import Message
from uvicorn import Config

from app.console import live_list
from app.console.live_list import LiveList, live_response
from app.ops.http_protocol import BoundedProtocol
from tests.console.browser import QuietServer, has_started
from tests.console.gallery import Arrivals
from tests.waiting import eventually


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals()


@pytest.fixture
def rows(arrivals: Arrivals) -> LiveList[str]:
    return LiveList(arrivals.start, arrivals.poll, poll_seconds=0.01)


async def test_two_hundred_who_look_share_one_poll(arrivals: Arrivals, rows: LiveList[str]) -> None:
    with ExitStack() as stack:
        queues = [stack.enter_context(rows.looking()) for _ in range(live_list.MAX_OPEN)]
        arrivals.waiting = ["a"]
        found = [(await asyncio.wait_for(queue.get(), 60)).rows for queue in queues]
        polls = arrivals.polls

    assert found == [["a"]] * live_list.MAX_OPEN
    assert polls < live_list.MAX_OPEN


async def test_rows_are_written_once_for_all_who_see_the_same(
    arrivals: Arrivals, rows: LiveList[str]
) -> None:
    written: list[str] = []

    def stream(view: str) -> AsyncIterator[str | bytes | memoryview]:
        def write(found: Sequence[str]) -> str:
            written.append(view)
            return f"{view} {' '.join(found)}"

        request = Request({"type": "http", "method": "GET", "headers": []}, connected)
        return aiter(live_response(request, rows, write, view).body_iterator)

    views = ["en", "zh", "en", "en"]
    streams = [stream(view) for view in views]
    for each in streams:
        await anext(each)
    following = asyncio.gather(*(anext(each) for each in streams))
    await asyncio.sleep(0)
    arrivals.waiting = ["a"]
    events = await following

    assert events == [f"event: rows\ndata: {view} a\n\n" for view in views]
    assert sorted(written) == ["en", "zh"]
    for each in streams:
        assert isinstance(each, AsyncGenerator)
        await each.aclose()


async def test_what_came_before_the_stream_is_sent_first(arrivals: Arrivals) -> None:
    rows = LiveList(arrivals.start, arrivals.poll, id_of=str.upper, poll_seconds=0.01)

    async def missed() -> Sequence[str]:
        return ["c", "b"]

    request = Request({"type": "http", "method": "GET", "headers": []}, connected)
    stream = aiter(live_response(request, rows, "".join, None, missed).body_iterator)
    first = await anext(stream)
    arrivals.waiting = ["d"]
    comment = await anext(stream)

    assert (first, comment) == ("event: rows\nid: C\ndata: cb\n\n", ": here\n\n")
    assert await anext(stream) == "event: rows\nid: D\ndata: d\n\n"
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()


async def test_nobody_looks_and_nothing_is_asked(arrivals: Arrivals, rows: LiveList[str]) -> None:
    with rows.looking():
        await eventually(lambda: has_polled(arrivals))
    running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.gather(*running, return_exceptions=True)

    assert rows.count == 0


async def has_polled(arrivals: Arrivals) -> bool:
    return arrivals.polls > 0


async def test_more_than_the_cap_are_refused_before_the_answer_begins(
    rows: LiveList[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_list, "MAX_OPEN", 1)
    request = Request({"type": "http", "method": "GET", "headers": []})
    with rows.looking(), pytest.raises(HTTPException) as refused:
        live_response(request, rows, "".join, None)

    assert refused.value.status_code == 503


async def test_no_more_than_the_cap_look_even_if_they_come_at_once(
    rows: LiveList[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_list, "MAX_OPEN", 1)
    request = Request({"type": "http", "method": "GET", "headers": []}, connected)
    first, second = (live_response(request, rows, "".join, None).body_iterator for _ in range(2))

    assert await anext(aiter(first)) == ": here\n\n"
    assert [part async for part in second] == []
    assert isinstance(first, AsyncGenerator)
    await first.aclose()


async def connected() -> Message:
    return await asyncio.Future()


async def test_whoever_reads_too_slowly_misses_the_oldest_rows(
    arrivals: Arrivals, rows: LiveList[str]
) -> None:
    with rows.looking() as queue:
        for number in range(live_list.MAX_WAITING + 3):
            arrivals.waiting = [str(number)]
            await eventually(lambda: is_empty(arrivals))
        await asyncio.sleep(0)
        found = [queue.get_nowait().rows[0] for _ in range(queue.qsize())]

    assert len(found) == live_list.MAX_WAITING
    assert found[-1] == str(live_list.MAX_WAITING + 2)


async def test_a_poll_that_fails_is_repeated(arrivals: Arrivals) -> None:
    failures = [ConnectionRefusedError(), TimeoutError()]

    async def start() -> None:
        if failures:
            raise failures.pop()

    flaky = LiveList(start, arrivals.poll, poll_seconds=0.01)
    arrivals.waiting = ["a"]
    with flaky.looking() as queue:
        assert (await asyncio.wait_for(queue.get(), 60)).rows == ["a"]
    assert failures == []


async def test_a_stream_ends_with_the_server(rows: LiveList[str]) -> None:
    """Long before the server would give up waiting for it."""
    app = FastAPI()

    @app.get("/stream")
    async def stream(request: Request) -> Response:
        return live_response(request, rows, "".join, None)

    config = Config(
        app,
        http=BoundedProtocol,
        ws="none",
        port=0,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=3600,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: has_started(server))
    port = server.servers[0].sockets[0].getsockname()[1]
    async with (
        httpx.AsyncClient(timeout=None) as http,  # noqa: S113 - it ends with the server
        http.stream("GET", f"http://127.0.0.1:{port}/stream") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == ": here"
        server.should_exit = True
        await asyncio.wait_for(serving, 60)
    await eventually(lambda: is_left(rows))


async def is_left(rows: LiveList[str]) -> bool:
    return rows.count == 0


async def is_empty(arrivals: Arrivals) -> bool:
    return not arrivals.waiting
