"""The client of a worker has several pools of connections, and keeps to proxies."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from app.wechat.client import POOLS, PoolClient, PoolSet, open_client

CALLS = 2 * POOLS
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def server(requests: list[str]) -> AsyncIterator[tuple[str, list[int]]]:
    """Run an HTTP server that answers once CALLS requests wait; yield its address.

    With it how many connections were opened. requests: gets the first line of each request.
    """
    opened = [0]
    together = asyncio.Barrier(CALLS)
    serving = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened[0] += 1
        serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                requests.append(head.split(b"\r\n")[0].decode())
                await together.wait()
                writer.write(ANSWER)
        writer.close()
        await writer.wait_closed()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", opened
        await asyncio.gather(*filter(None, serving))


async def call_at_once(client: httpx.AsyncClient, url: str) -> None:
    answers = await asyncio.gather(*[client.get(url) for _ in range(CALLS)])
    assert {answer.text for answer in answers} == {"{}"}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_pools_take_turns_and_are_all_closed() -> None:
    sent: Counter[int] = Counter()
    closed = []

    class Pool(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent[id(self)] += 1
            return httpx.Response(200, request=request)

        async def aclose(self) -> None:
            closed.append(id(self))

    pools = [Pool() for _ in range(3)]
    async with httpx.AsyncClient(transport=PoolSet(pools)) as client:
        for _ in range(6):
            await client.get("http://wechat.test/")

    assert sent == {id(pool): 2 for pool in pools}
    assert closed == [id(pool) for pool in pools]


async def test_no_call_has_the_cookie_of_another() -> None:
    class Pool(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            content = httpx.ByteStream(str(request.headers.get("cookie")).encode())
            return httpx.Response(200, headers={"set-cookie": "a=b; path=/"}, stream=content)

    async with PoolClient(PoolSet([Pool()])) as client:
        answers = [await client.get("http://wechat.test/") for _ in range(2)]

    assert [answer.text for answer in answers] == ["None", "None"]
    assert answers[0].request.url == "http://wechat.test/"


async def test_calls_at_once_have_a_connection_each_which_serves_the_next_ones() -> None:
    requests: list[str] = []
    async with server(requests) as (url, opened), open_client(CALLS) as client:
        await call_at_once(client, url)
        await call_at_once(client, url)

    assert opened == [CALLS]
    assert len(requests) == 2 * CALLS


@pytest.mark.parametrize(("idle", "connections"), [(2.5, CALLS), (3.5, 2 * CALLS)])
async def test_a_connection_that_a_gateway_may_be_closing_serves_no_call(
    monkeypatch: pytest.MonkeyPatch, idle: float, connections: int
) -> None:
    requests: list[str] = []
    moments = [time.monotonic()]
    async with server(requests) as (url, opened), open_client(CALLS) as client:
        with monkeypatch.context() as patched:
            patched.setattr(time, "monotonic", lambda: moments[-1])
            await call_at_once(client, url)
            moments.append(moments[0] + idle)
            await call_at_once(client, url)

    assert opened == [connections]


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[str] = []
    async with server(requests) as (proxy, _):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        async with open_client(CALLS) as client:
            await call_at_once(client, "http://wechat.test/cgi-bin/x")

    assert set(requests) == {"GET http://wechat.test/cgi-bin/x HTTP/1.1"}
