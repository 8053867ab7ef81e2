"""The token comes before the body, bodies are bounded, and wrong tokens are counted."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from app.access.network import network_of
from app.clock import SystemClock
from app.ops import api_gate, wrong_tokens
from app.ops.api_body import USUAL, BodyLimit
from app.ops.api_gate import ApiGate
from app.ops.wrong_tokens import FREE_ATTEMPTS, MAX_ADDRESSES, WrongTokens
from tests.ops.standins import NoTokens, client_of, get, make_app, settings
from tests.service import Service, counted

TOKEN = "an-operator-of-the-gate-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
MIB = 1024 * 1024


def body_app(limits: dict[str, BodyLimit] | None = None) -> FastAPI:
    """An application behind the gate that returns how much of a body has arrived."""
    app = FastAPI()
    app.add_middleware(
        ApiGate,
        settings=settings(admin_tokens=TOKEN),
        tokens=NoTokens(),
        clock=SystemClock(),
        body_limits=limits,
    )

    @app.post("/api/echo")
    @app.post("/api/large")
    async def echo(request: Request) -> int:
        return len(await request.body())

    return app


async def ask(app: FastAPI, headers: dict[str, str], *parts: bytes) -> tuple[int, int, Any]:
    """Return the status, how often the body was read, and the headers of the answer."""
    reads = 0
    sent: list[Any] = []
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        nonlocal reads
        reads += 1
        if not waiting:
            await asyncio.sleep(60)
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: Any) -> None:  # noqa: ANN401 - any ASGI message
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/echo",
        "raw_path": b"/api/echo",
        "root_path": "",
        "query_string": b"",
        "scheme": "http",
        "server": ("service", 80),
        "client": ("192.0.2.1", 1),
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }
    await app(scope, receive, send)
    return sent[0]["status"], reads, dict(sent[0]["headers"])


@pytest.mark.parametrize(
    "headers", [{"content-length": str(100 * MIB)}, {"transfer-encoding": "chunked"}]
)
async def test_without_a_token_nothing_of_the_body_is_read(headers: dict[str, str]) -> None:
    status, reads, answered = await ask(body_app(), headers, b"x" * MIB)

    assert (status, reads) == (401, 0)
    assert answered[b"connection"] == b"close"


async def test_a_short_body_leaves_the_connection_open() -> None:
    _, _, answered = await ask(body_app(), {"content-length": "10"}, b"0123456789")

    assert b"connection" not in answered


async def test_without_a_token_an_unknown_path_looks_like_a_known_one() -> None:
    response = await get(make_app(admin_tokens=TOKEN), "/api/no-such-thing")

    assert response.status_code == 401


async def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    headers = {**BEARER, "content-length": str(USUAL.max_bytes + 1)}
    status, reads, answered = await ask(body_app(), headers)

    assert (status, reads) == (413, 0)
    assert answered[b"connection"] == b"close"


async def test_a_body_that_grows_past_the_limit_is_refused_there() -> None:
    status, reads, answered = await ask(body_app(), BEARER, *[b"x" * (MIB // 2)] * 20)

    assert (status, reads) == (413, 3)
    assert answered[b"connection"] == b"close"


async def test_a_body_that_does_not_end_is_given_up() -> None:
    began = time.monotonic()
    app = body_app({"/api/echo": BodyLimit(MIB, seconds=0.2)})
    status, _, answered = await ask(app, BEARER, b"x", b"x")

    assert status == 408
    assert answered[b"connection"] == b"close"
    assert time.monotonic() - began < 10


async def test_a_path_may_have_a_larger_limit() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * MIB

    app = body_app({"/api/large": BodyLimit(4 * MIB, seconds=60)})
    async with client_of(app) as client:
        large = await client.post("/api/large", headers=BEARER, content=chunks())
        usual = await client.post("/api/echo", headers=BEARER, content=chunks())

    assert (large.status_code, large.json()) == (200, 3 * MIB)
    assert usual.status_code == 413
    assert str(USUAL.max_bytes) in usual.json()["detail"]


async def test_only_the_import_takes_more_than_the_usual_body(service: Service) -> None:
    document = {"rules": [], "comment": "x" * (2 * MIB)}
    imported = await service.api("POST", "rules/import", json=document)
    usual = await service.api("POST", "rules", json=document)

    assert imported.status_code == 422
    assert usual.status_code == 413


async def test_requests_without_a_valid_token_are_counted_and_logged_now_and_then() -> None:
    app = make_app(admin_tokens=TOKEN)
    before = counted("api_refusals_total", reason="wrong_token")
    with capture_logs() as logs:
        for _ in range(FREE_ATTEMPTS):
            await get(app, "/api/anything", Authorization="Bearer wrong-token-that-is-not-logged")
        await get(app, "/api/anything", **BEARER)

    assert counted("api_refusals_total", reason="wrong_token") == before + FREE_ATTEMPTS
    (line,) = logs
    assert (line["event"], line["reason"], line["count"]) == ("api.refused", "wrong_token", 1)
    assert line["address"] == "127.0.0.1"
    assert "wrong-token" not in str(line)


async def test_an_address_with_many_wrong_tokens_waits_and_a_valid_token_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wrong_tokens, "PAUSE_SECONDS", 0.3)
    monkeypatch.setattr(wrong_tokens, "MAX_PAUSED", 3)
    app = make_app(admin_tokens=TOKEN)
    for _ in range(FREE_ATTEMPTS):
        await get(app, "/api/anything")

    began = time.monotonic()
    waiting = [asyncio.create_task(get(app, "/api/anything")) for _ in range(5)]
    await asyncio.sleep(0)
    valid = await get(app, "/api/anything", **BEARER)
    valid_took = time.monotonic() - began
    statuses = sorted(response.status_code for response in await asyncio.gather(*waiting))
    all_took = time.monotonic() - began

    assert valid.status_code == 200
    assert valid_took < 0.3
    assert statuses == [401, 401, 401, 429, 429]
    assert all_took >= 0.3


async def test_too_many_at_once_are_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_tokens, "MAX_PAUSED", 0)
    app = make_app(admin_tokens=TOKEN)
    for _ in range(FREE_ATTEMPTS):
        await get(app, "/api/anything")

    refused = await get(app, "/api/anything")

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert refused.json() == {"detail": api_gate.TOO_MANY}


async def test_an_address_is_forgiven_after_a_minute_and_addresses_are_bounded() -> None:
    now = 0.0
    attempts = WrongTokens(monotonic=lambda: now)
    for _ in range(FREE_ATTEMPTS + 1):
        attempts._count("192.0.2.1")
    now = 61.0
    assert attempts._count("192.0.2.1") == 1
    for number in range(MAX_ADDRESSES + 10):
        attempts._count(str(number))
    assert len(attempts._seen) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_addresses_of_one_ipv6_network_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
