"""The limits of a connection before the application sees a request, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from uvicorn import Config, Server

from app.callback.response import CallbackResponse
from app.log_limit import LogLimit
from app.ops import http_protocol
from app.ops.http_protocol import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_UNFINISHED_BYTES,
    MAX_URL_BYTES,
    BoundedProtocol,
    _waiting,
)
from tests.service import counted
from tests.waiting import eventually

LIMIT = 20
served: list[str] = []
SLOW = 0.4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", SLOW)
    monkeypatch.setattr(http_protocol, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(http_protocol, "REST_OF_BODY_SECONDS", SLOW)
    monkeypatch.setattr(http_protocol, "STALLED_SECONDS", SLOW)
    monkeypatch.setattr(http_protocol, "STEADY_SECONDS", 0.1)
    monkeypatch.setattr(http_protocol, "_log_limit", LogLimit())
    served.clear()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients take as long as a busy machine makes them."""
    monkeypatch.setattr(http_protocol, "REST_OF_BODY_SECONDS", 60)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `ok`: at once, or to /read after the whole body, to /slow after a while.

    /close closes its connection.
    """
    if scope["type"] == "lifespan":
        return
    served.append(scope["path"])
    if scope["path"] == "/read":
        message: Message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    if scope["path"] == "/push":
        await CallbackResponse(b"reply", b"application/xml")(scope, receive, send)
        return
    body = b"x" * 20_000_000 if scope["path"] == "/much" else b"ok"
    headers = [(b"content-length", str(len(body)).encode())]
    if scope["path"] == "/close":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a running server."""
    config = Config(
        application,
        http=BoundedProtocol,
        ws="none",
        port=0,
        lifespan="off",
        limit_concurrency=LIMIT,
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("x-content-type-options", "nosniff")],
        date_header=False,
        timeout_keep_alive=2,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    server.capture_signals = suppress  # type: ignore[method-assign,assignment]  # pytest keeps its own
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, "the server to start")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running
    assert not _waiting


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def exchange(port: int, *pieces: bytes, pause: float = 0) -> tuple[bytes, float]:
    """Send pieces, and return everything that comes back until the end, and how long it took."""
    began = time.monotonic()
    async with connected(port) as (reader, writer):
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        answer = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(5):
                answer = await reader.read()
    return answer, time.monotonic() - began


def status_of(answer: bytes) -> bytes:
    return answer[9:12]


def request(path: str = "/", *headers: bytes, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: service", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


CLOSE = b"Connection: close"


async def test_what_keeps_to_the_limits_is_answered(port: int) -> None:
    headers = [b"h%d: v" % number for number in range(MAX_HEADERS - 2)]
    many, _ = await exchange(port, request("/", CLOSE, *headers))
    long, _ = await exchange(port, request("/" + "u" * (MAX_URL_BYTES - 1), CLOSE))
    large, _ = await exchange(port, request("/", CLOSE, b"h: " + b"v" * (MAX_HEAD_BYTES - 100)))
    body = b"b" * 1_000_000
    length = b"Content-Length: %d" % len(body)
    read, _ = await exchange(port, request("/read", CLOSE, length, method="POST") + body)
    piecemeal, _ = await exchange(port, *(bytes([b]) for b in request("/", CLOSE)))

    assert [status_of(answer) for answer in (many, long, large, read, piecemeal)] == [b"200"] * 5


@pytest.mark.parametrize(
    ("reason", "status", "head"),
    [
        ("many_headers", b"431", request("/", *[b"h: v"] * MAX_HEADERS)),
        ("large_head", b"431", request("/", *[b"h: " + b"v" * 10_000] * 4)),
        ("large_head", b"431", b"GET / HTTP/1.1\r\nh: " + b"v" * MAX_UNFINISHED_BYTES),
        ("large_head", b"431", b"\r\n" * MAX_HEAD_BYTES),
        ("long_url", b"414", request("/" + "u" * MAX_URL_BYTES)),
        ("not_http", b"400", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("not_http", b"400", request("http://[")),
    ],
)
async def test_a_head_beyond_a_limit_is_refused_and_counted(
    port: int, reason: str, status: bytes, head: bytes
) -> None:
    before = counted("connections_turned_away_total", reason=reason)
    with capture_logs() as logs:
        answer, took = await exchange(port, head)

    assert status_of(answer) == status
    assert b"nosniff" in answer
    assert took < SLOW
    assert counted("connections_turned_away_total", reason=reason) == before + 1
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("connections.turned_away", reason)
    ]


async def test_a_flood_of_headers_ends_early(port: int) -> None:
    flood = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 4_000_000
    sent = 0
    async with connected(port) as (reader, writer):
        with suppress(ConnectionError):
            for start in range(0, len(flood), 65536):
                writer.write(flood[start : start + 65536])
                await writer.drain()
                sent += 65536
        with suppress(ConnectionError):
            await reader.read()

    assert sent < len(flood) / 2


async def test_trailers_and_chunk_extensions_are_bounded(port: int) -> None:
    head = request("/read", b"Transfer-Encoding: chunked", method="POST")
    trailers, _ = await exchange(port, head + b"1\r\nx\r\n0\r\n" + b"t: v\r\n" * 200 + b"\r\n")
    before = counted("connections_turned_away_total", reason="large_head")
    pieces = [b"e" * 16_384] * 8
    extension, took = await exchange(port, head + b"1;", *pieces, pause=0.01)

    # The request has begun, so the connection is cut without an answer.
    assert status_of(trailers) != b"200"
    assert status_of(extension) != b"200"
    assert counted("connections_turned_away_total", reason="large_head") > before
    assert took < 2


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET / HTTP/1.1\r\n"],
        [b"GET / HTTP/1.1\r\n", *[b"h: v\r\n"] * 50],
        [b"\r\n"] * 50,
        [request(), *[b"\r\n"] * 50],
        [request() + b"GET", *[b" "] * 50],
    ],
    ids=["nothing", "half", "slowly", "blank lines", "blank lines after", "half after"],
)
async def test_a_head_that_does_not_end_is_given_up(port: int, pieces: list[bytes]) -> None:
    before = counted("connections_turned_away_total", reason="slow_head")
    answer, took = await exchange(port, *pieces, pause=0.05)

    assert SLOW - 0.1 < took < 4
    assert counted("connections_turned_away_total", reason="slow_head") == before + 1
    assert status_of(answer) in {b"408", b"200", b""}


async def test_a_request_that_has_arrived_when_the_time_is_over_is_answered(port: int) -> None:
    async with connected(port) as (reader, writer):
        await asyncio.sleep(0.05)
        (waiting,) = _waiting
        # As the timer does, before what has arrived meanwhile is read.
        waiting._head_is_late()
        writer.write(request("/", CLOSE))
        answer = await reader.read()

    assert status_of(answer) == b"200"


async def test_the_rest_of_a_body_that_was_answered_already_may_not_trickle(port: int) -> None:
    head = request("/", b"Content-Length: 1000", method="POST")
    answer, took = await exchange(port, head, *[b"x"] * 40, pause=0.05)

    assert status_of(answer) in {b"200", b""}
    assert took < 4


async def test_a_connection_is_kept_after_the_rest_of_a_body(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(request("/", b"Content-Length: 10", method="POST"))
        first = await reader.readuntil(b"ok")
        writer.write(b"0123456789")
        await asyncio.sleep(0.05)
        writer.write(request())
        second = await reader.readuntil(b"ok")

    assert status_of(first) == status_of(second) == b"200"


UNREAD = b"b" * 20_000_000


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (b"Content-Length: %d" % len(UNREAD), UNREAD),
        (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(UNREAD), UNREAD)),
    ],
    ids=["length", "chunks"],
)
@pytest.mark.usefixtures("patient")
async def test_a_client_that_sends_all_before_it_reads_sees_why_its_body_is_not_taken(
    port: int, length: bytes, body: bytes
) -> None:
    async with connected(port) as (reader, writer):
        writer.write(request("/", CLOSE, length, method="POST"))
        writer.write(body)
        await writer.drain()
        answer = await reader.read()
        ended = reader.at_eof()

    assert status_of(answer) == b"200"
    assert answer.endswith(b"ok")
    assert ended


async def send_chunks(writer: asyncio.StreamWriter) -> None:
    """Send chunks of a body until the connection breaks."""
    while True:
        writer.write(b"10000\r\n" + b"b" * 65536 + b"\r\n")
        await writer.drain()


@pytest.mark.usefixtures("patient")
async def test_of_a_body_that_is_answered_already_so_much_is_read(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_REST_BYTES", 1_000_000)
    turned_away = counted("connections_turned_away_total", reason="large_rest")
    async with connected(port) as (reader, writer):
        writer.write(request("/", b"Transfer-Encoding: chunked", method="POST"))
        await reader.readuntil(b"ok")
        with pytest.raises(ConnectionError):
            await send_chunks(writer)

    assert counted("connections_turned_away_total", reason="large_rest") - turned_away == 1


@pytest.mark.usefixtures("patient")
async def test_no_request_follows_the_one_that_closes_its_connection(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.write(request("/close", b"Content-Length: 10", method="POST"))
        first = await reader.readuntil(b"ok")
        writer.write(b"0123456789" + request("/second"))
        with suppress(ConnectionError):
            assert not await reader.read()
        await exchange(port, request("/later", CLOSE))

    assert status_of(first) == b"200"
    assert served == ["/close", "/later"]


async def test_a_client_that_does_not_read_its_answer_is_cut_off(port: int) -> None:
    async with connected(port) as (reader, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request("/much"))
        await asyncio.sleep(SLOW * 3)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        read = b""
        with suppress(ConnectionError):
            read = await reader.read()

    assert len(read) < 20_000_000


async def test_requests_that_come_before_the_answer_to_the_first_are_few(port: int) -> None:
    few, _ = await exchange(port, request("/slow") + request() * 3 + request("/", CLOSE))
    before = counted("connections_turned_away_total", reason="pipelined")
    await exchange(port, request("/slow") + request() * 1000)

    assert few.count(b"200 OK") == 5
    assert counted("connections_turned_away_total", reason="pipelined") == before + 1


START = b"HTTP/1.1 200 OK\r\nx-content-type-options: nosniff\r\n"
REPLY = b"content-length: 5\r\ncontent-type: application/xml\r\n"


async def test_responses_to_pushes_come_whole_and_in_their_order(port: int) -> None:
    """The last one says that the connection ends, which the server writes itself."""
    answer, _ = await exchange(port, request("/push") * 2 + request("/") + request("/push", CLOSE))

    whole = START + REPLY + b"\r\nreply"
    other = START + b"content-length: 2\r\n\r\nok"
    last = START + REPLY + b"connection: close\r\n\r\nreply"
    assert answer == whole * 2 + other + last


async def test_half_sent_requests_give_their_place_to_whole_ones(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 60)
    half = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMIT)]
    for _, writer in half:
        writer.write(b"GET / HTTP/1.1\r\n")
    await asyncio.sleep(0.2)
    before = counted("connections_turned_away_total", reason="too_many")

    answers = [await exchange(port, request("/", CLOSE)) for _ in range(30)]

    assert {status_of(answer) for answer, _ in answers} == {b"200"}
    assert counted("connections_turned_away_total", reason="too_many") > before
    for _, writer in half:
        writer.close()


async def test_a_connection_too_many_is_refused_while_all_others_work(port: int) -> None:
    working = [asyncio.create_task(exchange(port, request("/slow", CLOSE))) for _ in range(LIMIT)]
    await asyncio.sleep(0.3)
    answer, took = await exchange(port)

    assert status_of(answer) == b"503"
    assert took < SLOW
    assert {status_of(done) for done, _ in await asyncio.gather(*working)} == {b"200"}


async def test_an_idle_connection_that_was_answered_gives_way_too(port: int) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMIT)]
    for reader, writer in idle:
        writer.write(request())
        await reader.readuntil(b"ok")
    await asyncio.sleep(0.2)

    answer, _ = await exchange(port, request("/", CLOSE))

    assert status_of(answer) == b"200"
    assert await idle[0][0].read() == b""
    for _, writer in idle:
        writer.close()


def test_the_log_is_limited() -> None:
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731 - moved below
    limit = LogLimit(clock)
    first = [limit.take() for _ in range(3)]
    now = 11.0

    assert first == [1, None, None]
    assert limit.take() == 3
