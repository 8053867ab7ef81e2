"""Connections of strangers, at a `serve` with a low limit of open files."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from simulator.demo import ACCOUNT
from simulator.envelopes import new_stamp
from tests.e2e.children import Child
from tests.e2e.stack import BEARER, account_settings
from tests.processes import free_port
from tests.service import WorldClock, message, sealed

FILES = 256
PATHS = (
    *("/livez", "/readyz", "/metrics", "/api/rules", "/docs", "/nothing", "/callback/x"),
    *("/console/", "/console/static/console.css", "/go/none", "/qr/none.png", "/jssdk/v1.js"),
    "/?" + "u" * 9000,
)
CODE = (
    f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}));"
    "from app.cli.main import main; main()"
)


@pytest.fixture
async def serving(database_url: str, tmp_path: Path) -> AsyncIterator[Child]:
    port = free_port()
    settings = account_settings() | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
    }
    child = Child("serve", [sys.executable, "-c", CODE, "serve"], tmp_path, settings, port)
    try:
        child.start()
        child.listen()
        yield child
    finally:
        child.clean_up()


async def push(url: str, number: int) -> httpx.Response:
    clock = WorldClock()
    envelope = sealed(message(clock, f"hello {number}"), new_stamp(clock.now()))
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        return await http.post(
            f"{url}/callback/{ACCOUNT.appid}", params=envelope.query, content=envelope.body
        )


async def test_half_sent_requests_keep_no_callback_out(serving: Child) -> None:
    half = []
    for _ in range(FILES + 24):
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        writer.write(b"POST /callback/x HTTP/1.1\r\nh: ")
        half.append((reader, writer))
    await asyncio.sleep(1)

    answers = [await push(serving.url, number) for number in range(20)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"success")] * 20
    for _, writer in half:
        writer.close()
    assert '"event": "connections.limited_by_files"' in serving.output()
    assert '"event": "connections.turned_away"' in serving.output()
    async with httpx.AsyncClient(trust_env=False, headers=BEARER) as http:
        metrics = (await http.get(f"{serving.url}/metrics")).text
    assert 'oa_bridge_connections_turned_away_total{reason="too_many"}' in metrics


async def test_no_head_and_no_unasked_body_takes_memory(serving: Child) -> None:
    process = psutil.Process(serving.process.pid)
    await push(serving.url, 0)
    before = process.memory_info().rss

    async def flood(head: bytes, filling: bytes) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
        try:
            writer.write(head)
            for _ in range(400):
                writer.write(filling)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    line = b"GET / HTTP/1.1\r\n"
    post = b"POST /api/rules HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for _ in range(3):
        await asyncio.gather(
            flood(line, b"a: b\r\n" * 10_000),
            flood(line + b"h: ", b"v" * 60_000),
            flood(post + b"Content-Length: 104857600\r\n\r\n", b"0," * 30_000),
            flood(post + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\n0,0,\r\n" * 5_000),
        )
    grown = process.memory_info().rss - before

    assert grown < 30_000_000
    assert (await push(serving.url, 1)).status_code == 200


async def test_no_answer_may_be_taken_for_another_type(serving: Child) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=serving.url) as http:
        told = {path: (await http.get(path)).headers for path in PATHS}

    nosniff = {path: headers.get_list("x-content-type-options") for path, headers in told.items()}
    assert nosniff == {path: ["nosniff"] for path in PATHS}
