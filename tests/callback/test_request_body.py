"""The body is bounded while it is read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message

from app.callback import router
from simulator.accounts import Mode
from simulator.documents import write
from simulator.envelopes import new_stamp, seal
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    Service,
    WorldClock,
    counted,
    message,
    running,
    settings_for,
)

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
LIMIT = 4096

PLAIN = ACCOUNT.model_copy(update={"mode": Mode.PLAIN})


@pytest.fixture
async def service(tmp_path: Path, clock: WorldClock) -> AsyncIterator[Service]:
    settings = settings_for(NOWHERE, tmp_path, max_body_bytes=LIMIT, wechat_message_mode="plain")
    async with running(settings, clock) as service:
        yield service


def sized(clock: WorldClock, size: int) -> tuple[dict[str, str], bytes]:
    """Return the query and the body of a push whose body has exactly `size` bytes."""
    empty = write(message(clock, ""), PLAIN.format)
    text = write(message(clock, "x" * (size - len(empty.encode()))), PLAIN.format)
    envelope = seal(text, PLAIN, OPENID, new_stamp(clock.now()))
    assert len(envelope.body) == size
    return envelope.query, envelope.body


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_a_body_may_have_exactly_the_limit(
    service: Service, clock: WorldClock, size: int, status: int
) -> None:
    query, body = sized(clock, size)

    answer = await service.http.post(f"/callback/{APPID}", params=query, content=body)

    assert answer.status_code == status


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_a_chunked_body_without_a_length_is_measured_as_it_comes(
    service: Service, clock: WorldClock, size: int, status: int
) -> None:
    query, body = sized(clock, size)

    answer = await service.http.post(f"/callback/{APPID}", params=query, content=chunks(body))

    assert answer.status_code == status


async def test_a_length_that_lies_low_does_not_let_a_large_body_through(
    service: Service, clock: WorldClock
) -> None:
    query, body = sized(clock, LIMIT + 1)

    answer = await service.http.post(
        f"/callback/{APPID}", params=query, content=body, headers={"content-length": "10"}
    )

    assert answer.status_code == 413


async def test_a_length_above_the_limit_is_refused_before_anything_is_read(
    service: Service, clock: WorldClock
) -> None:
    query, body = sized(clock, 1000)
    read = 0

    async def watched() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield body

    answer = await service.http.post(
        f"/callback/{APPID}",
        params=query,
        content=watched(),
        headers={"content-length": str(LIMIT + 1)},
    )

    assert (answer.status_code, read) == (413, 0)


async def test_an_endless_body_is_left_at_the_limit(service: Service, clock: WorldClock) -> None:
    query, _ = sized(clock, 1000)
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    answer = await service.http.post(f"/callback/{APPID}", params=query, content=endless())

    assert answer.status_code == 413
    assert read <= LIMIT + 1000


async def test_who_hangs_up_in_the_middle_leaves_nothing_behind(
    service: Service, clock: WorldClock
) -> None:
    query, body = sized(clock, 1000)
    came: list[Message] = [
        {"type": "http.request", "body": body[:500], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = service.http.build_request("POST", f"/callback/{APPID}", params=query).url
    await service.app(
        {
            "type": "http",
            "method": "POST",
            "path": scope.path,
            "raw_path": scope.raw_path,
            "root_path": "",
            "query_string": scope.query,
            "headers": [],
        },
        receive,
        send,
    )

    assert service.inbox.spool_status().count == 0


async def test_an_empty_body_is_malformed(service: Service, clock: WorldClock) -> None:
    query, _ = sized(clock, 1000)

    assert (await service.http.post(f"/callback/{APPID}", params=query)).status_code == 400


async def endless() -> AsyncIterator[bytes]:
    yield b"<xml>"
    await asyncio.Event().wait()


async def test_a_push_that_takes_too_long_is_answered_in_time_for_another_one(
    tmp_path: Path, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "DEADLINE_SECONDS", 0.05)
    before = counted("refusals_total", reason="out_of_time")
    settings = settings_for(NOWHERE, tmp_path, wechat_message_mode="plain")
    async with running(settings, clock) as service:
        query, body = sized(clock, LIMIT)
        late = await service.http.post(f"/callback/{APPID}", params=query, content=endless())
        monkeypatch.undo()
    async with running(settings, clock) as service:
        again = await service.http.post(f"/callback/{APPID}", params=query, content=body)

    assert (late.status_code, again.status_code) == (503, 200)
    assert counted("refusals_total", reason="out_of_time") == before + 1
