"""The HTTP client of WeChat's API: connections, proxies, redirects, cookies, uploads."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPMethod
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from app.ops.error_text import format_exception
from app.wechat.client import ApiClient, ProxyError, Request, Upload, _tls_context

CALLS = 20
PATH = "/cgi-bin/x"
TOKEN = "TOKEN-of-the-account"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Server:
    """An HTTP server. It answers with `answer` once `together` requests wait for that.

    greeting: is written when a connection opens. cuts_after: closes the connection of every request
    after so many.
    """

    url: str = ""
    answer: bytes = ANSWER
    greeting: bytes = b""
    together: int = 1
    cuts_after: int = 1000
    opened: int = 0
    requests: list[bytes] = field(default_factory=list)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def say(self, content: bytes) -> None:
        """Write to the first connection what nobody has asked for."""
        self._writers[0].write(content)

    def leave(self) -> None:
        """Say on the first connection that nothing more comes."""
        self._writers[0].get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.opened += 1
        self._writers.append(writer)
        writer.write(self.greeting)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await reader.readexactly(_length(head)))
                if len(self.requests) > self.cuts_after:
                    break
                await self._turn()
                writer.write(self.answer)
        writer.close()

    async def end(self) -> None:
        """Wait until every connection has ended."""
        await asyncio.gather(*self._serving)

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) == self.together:
            for one in self._waiting:
                one.set_result(None)
            self._waiting.clear()
        await turn


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


@asynccontextmanager
async def server(**how: object) -> AsyncIterator[Server]:
    made = Server(**how)  # type: ignore[arg-type]
    running = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    async with running:
        yield made
        await made.end()


async def call(
    client: ApiClient,
    url: str,
    *,
    method: HTTPMethod = HTTPMethod.POST,
    most: int = 1000,
    on_begin: Callable[[], None] = lambda: None,
) -> tuple[int, bytes]:
    body = None if method is HTTPMethod.GET else b"{}"
    request = Request(method, url + PATH, {"access_token": TOKEN}, body)
    async with client.send(request, on_begin) as response:
        return response.status, await response.read(most)


async def call_at_once(client: ApiClient, url: str) -> None:
    answers = await asyncio.gather(*[call(client, url) for _ in range(CALLS)])
    assert set(answers) == {(200, b"{}")}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_calls_at_once_have_a_connection_each_which_serves_the_next_ones() -> None:
    async with server(together=CALLS) as wechat, ApiClient(CALLS) as client:
        await call_at_once(client, wechat.url)
        await call_at_once(client, wechat.url)

    assert (wechat.opened, len(wechat.requests)) == (CALLS, 2 * CALLS)


async def test_calls_beyond_the_limit_wait_for_a_connection() -> None:
    async with server(together=2) as wechat, ApiClient(2) as client:
        await call_at_once(client, wechat.url)

    assert (wechat.opened, len(wechat.requests)) == (2, CALLS)


@pytest.mark.parametrize(("idle", "connections"), [(2.5, 1), (3.5, 2)])
async def test_a_connection_that_a_gateway_may_be_closing_serves_no_call(
    monkeypatch: pytest.MonkeyPatch, idle: float, connections: int
) -> None:
    moments = [1000.0]
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: moments[-1])
    async with server() as wechat, ApiClient(CALLS) as client:
        await call(client, wechat.url)
        moments.append(moments[0] + idle)
        await call(client, wechat.url)

    assert wechat.opened == connections


@pytest.mark.parametrize("served", [0, 1])
@pytest.mark.parametrize("method", [HTTPMethod.GET, HTTPMethod.POST])
async def test_a_call_whose_connection_is_cut_is_not_sent_again(
    method: HTTPMethod, served: int
) -> None:
    """A message would come twice, and a GET deletes the menu or fetches a page of the quota."""
    async with server(cuts_after=served) as wechat, ApiClient() as client:
        for _ in range(served):
            await call(client, wechat.url, method=method)
        with pytest.raises(aiohttp.ClientConnectionError):
            await call(client, wechat.url, method=method)

    assert len(wechat.requests) == served + 1


@pytest.mark.parametrize("noticed", [False, True])
async def test_what_comes_unasked_is_no_answer_to_the_next_call(*, noticed: bool) -> None:
    """noticed: whether the event loop has read it before that call."""
    async with server() as wechat, server() as other, ApiClient() as client:
        await call(client, wechat.url)
        wechat.say(ANSWER.replace(b"200 OK", b"403 No"))
        if noticed:
            await call(client, other.url)
        begun: list[int] = []
        answer = await call(client, wechat.url, on_begin=lambda: begun.append(wechat.opened))

    assert answer == (200, b"{}")
    assert (wechat.opened, len(wechat.requests), len(begun)) == (2, 2, 1)


async def test_a_connection_that_has_been_closed_serves_no_call() -> None:
    """Its end has come, and the event loop has not read it yet."""
    async with server() as wechat, ApiClient() as client:
        await call(client, wechat.url)
        wechat.leave()
        assert await call(client, wechat.url) == (200, b"{}")

    assert wechat.opened == 2


async def test_a_host_that_speaks_first_is_called() -> None:
    greeting = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with server(greeting=greeting) as wechat, ApiClient() as client:
        assert await call(client, wechat.url) == (503, b"")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with server() as proxy:
        monkeypatch.setenv(variable, proxy.url.replace("http://", "http://me:p%40ss@"))
        async with ApiClient() as client:
            await call(client, "http://wechat.test")

    (request,) = proxy.requests
    assert request.startswith(
        b"POST http://wechat.test/cgi-bin/x?access_token=TOKEN-of-the-account HTTP/1.1\r\n"
        b"Host: wechat.test\r\n"
    )
    assert b"\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n" in request


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "example.com, 127.0.0.1:PORT", "*"])
async def test_a_host_of_no_proxy_is_called_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with server() as wechat:
        monkeypatch.setenv("NO_PROXY", no_proxy.replace("PORT", wechat.url.rpartition(":")[2]))
        async with ApiClient() as client:
            assert await call(client, wechat.url) == (200, b"{}")


@pytest.mark.parametrize("proxy", ["socks5://me:p@ss@{host}", "http://me:p@ss@{host}x", "http://"])
async def test_a_proxy_that_is_none_of_http_gets_no_byte(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    async with server() as other:
        monkeypatch.setenv("ALL_PROXY", proxy.format(host=other.url.removeprefix("http://")))
        async with ApiClient() as client:
            with pytest.raises(ProxyError) as caught:
                await call(client, "http://wechat.test")

    error = caught.value
    assert other.opened == 0
    assert "p@ss" not in format_exception((type(error), error, error.__traceback__))


async def test_a_proxy_that_refuses_to_connect_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    begun: list[int] = []
    async with server(answer=refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with ApiClient() as client:
            with pytest.raises(ProxyError, match="answers HTTP 407"):
                await call(client, "https://wechat.test", on_begin=lambda: begun.append(1))

    assert begun == []


@pytest.fixture
def no_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Certificate authorities that can't be read."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    _tls_context.cache_clear()
    yield
    _tls_context.cache_clear()


@pytest.mark.usefixtures("no_authorities")
def test_certificate_authorities_are_read_before_the_first_call() -> None:
    """Reading them takes long, and a call would take a file that is missing for a host's fault."""
    with pytest.raises(FileNotFoundError):
        ApiClient()


async def test_no_call_has_the_cookie_of_another() -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}"
    async with server(answer=answer) as wechat, ApiClient() as client:
        await call(client, wechat.url)
        await call(client, wechat.url)

    assert b"cookie" not in wechat.requests[1].lower()


async def test_a_redirect_is_not_followed() -> None:
    answer = b"HTTP/1.1 307 To\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    async with server(answer=answer) as wechat, ApiClient() as client:
        assert await call(client, wechat.url) == (307, b"")

    assert len(wechat.requests) == 1


async def test_a_body_is_read_so_far_as_it_is_asked_for() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + bytes(9_000_000)
    async with server(answer=answer) as wechat, ApiClient() as client:
        status, content = await call(client, wechat.url, most=1000)

    assert status == 200
    assert 1000 < len(content) < 1_000_000


async def test_a_long_header_costs_no_answer() -> None:
    """A gateway may add one. Without the answer nobody knows whether a message was sent."""
    header = b"\r\nX-Policy: " + b"x" * 50_000 + b"\r\n"
    answer = ANSWER.replace(b"\r\n", header, 1)
    async with server(answer=answer) as wechat, ApiClient() as client:
        assert await call(client, wechat.url) == (200, b"{}")


async def test_what_is_no_http_is_told_without_the_access_token() -> None:
    async with server(answer=b"HTTP/1.1 xyz\r\n\r\n") as wechat, ApiClient() as client:
        with pytest.raises(aiohttp.ClientPayloadError) as caught:
            await call(client, wechat.url)
        await client.close()

    error = caught.value
    assert TOKEN not in format_exception((type(error), error, error.__traceback__))


async def test_the_request_has_begun_when_a_connection_is_there_and_not_before() -> None:
    begun = []
    async with server() as wechat, ApiClient() as client:
        for _ in range(2):
            await call(client, wechat.url, on_begin=lambda: begun.append(len(wechat.requests)))
        with pytest.raises(aiohttp.ClientConnectorError):
            await call(client, "http://127.0.0.1:1", on_begin=lambda: begun.append(-1))

    assert begun == [0, 1]


@pytest.mark.parametrize(
    ("filename", "kind"), [("image.png", b"image/png"), ("a.jpg", b"image/jpeg")]
)
async def test_an_upload_is_one_form_field_whose_length_is_told(filename: str, kind: bytes) -> None:
    upload = Upload("media", filename, b"\x89PNG-bytes")
    query = {"access_token": "a+b&c=/", "type": "image"}
    async with server() as wechat, ApiClient() as client:
        request = Request(HTTPMethod.POST, wechat.url + PATH, query, upload=upload)
        async with client.send(request, lambda: None) as response:
            await response.read(1000)

    (sent,) = wechat.requests
    head, body = sent.split(b"\r\n\r\n", 1)
    line, *headers = head.split(b"\r\n")
    assert line.split(b"?")[0] == b"POST /cgi-bin/x"
    assert b"Transfer-Encoding: chunked" not in headers
    assert b"Accept-Encoding: identity" in headers
    part, _, rest = body.partition(b"\r\n\r\n")
    boundary, name, content_type = part.split(b"\r\n")
    assert any(one.endswith(b"boundary=" + boundary.removeprefix(b"--")) for one in headers)
    # In the order of a browser.
    disposition = b'form-data; name="media"; filename="%b"' % filename.encode()
    assert name == b"Content-Disposition: " + disposition
    assert content_type == b"Content-Type: " + kind
    assert rest.startswith(b"\x89PNG-bytes\r\n--")


async def test_a_query_is_read_as_it_was_meant() -> None:
    query = {"access_token": "a+b&c=/ %41商", "type": "image"}
    async with server() as wechat, ApiClient() as client:
        request = Request(HTTPMethod.GET, wechat.url + PATH, query)
        async with client.send(request, lambda: None) as response:
            await response.read(1000)

    target = wechat.requests[0].split(b" ")[1].decode()
    assert dict(parse_qsl(urlsplit(target).query)) == query
