"""A queued reply follows the passive reply to the same push, also where WeChat has to repeat it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import asyncpg
import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings
from tests.lock_waits import backend_waits
from tests.service import Json, Service, WorldClock, card, message, running, text_reply
from tests.waiting import eventually

SECOND = timedelta(seconds=1)
WAIT = 6 * SECOND  # until WeChat has hung up, and the second of the setting
STARTS = "SELECT execute_after FROM pgqueuer WHERE entrypoint = 'replies.deliver'"


async def starts_at(connection: asyncpg.Connection) -> datetime:
    """Return when the job of the queued reply may start, by the database's clock."""
    found: datetime = await connection.fetchval(STARTS)
    return found


async def now(connection: asyncpg.Connection) -> datetime:
    found: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return found


@asynccontextmanager
async def slow_response(service: Service, push: Json) -> AsyncIterator[asyncio.Event]:
    """Push on a path whose response leaves no sooner than the event is set."""
    leaves, reached = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def slow_send(part: Message) -> None:
            reached.set()
            await leaves.wait()
            await send(part)

        await service.app(scope, receive, slow_send)

    async with client_of(app) as http:
        pushing = asyncio.create_task(through(service, http, push))
        await reached.wait()
        yield leaves
        leaves.set()
        assert (await pushing).status_code == 200


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


async def through(service: Service, http: httpx.AsyncClient, push: Json) -> httpx.Response:
    own = Service(service.app, http, service.settings, service.clock)
    return await own.push(push)


async def hang_up(service: Service, push: Json) -> None:
    """Push, and close the connection before the response."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        read = SimpleNamespace(body=False)

        async def closed_after_body() -> Message:
            if read.body:
                return {"type": "http.disconnect"}
            part = await receive()
            read.body = not part.get("more_body", False)
            return part

        await service.app(scope, closed_after_body, send)

    async with client_of(app) as http:
        await through(service, http, push)


async def test_the_queued_reply_waits_until_a_slow_response_has_left(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("at once"), card())
    before = await now(connection)

    async with slow_response(service, message(service.clock)) as leaves:
        waiting = await starts_at(connection)
        left = await now(connection)
        leaves.set()

    async def told() -> bool:
        return await starts_at(connection) != waiting

    await eventually(told)
    assert waiting >= before + WAIT
    assert left + SECOND <= await starts_at(connection) <= await now(connection) + SECOND


async def test_where_wechat_has_hung_up_it_waits_for_the_answer_to_the_repeated_push(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("at once"), card())
    push = message(service.clock)
    await hang_up(service, push)
    await service.app.state.sending.handovers.stop()
    first = await starts_at(connection)
    began = await now(connection)

    async with slow_response(service, push) as leaves:
        repeated = await starts_at(connection)
        left = await now(connection)
        leaves.set()

    async def told() -> bool:
        return await starts_at(connection) != repeated

    await eventually(told)
    assert repeated >= began + WAIT
    assert repeated > first
    assert left + SECOND <= await starts_at(connection) <= await now(connection) + SECOND


# Nothing that is told ends before the lock of the test does.
HELD = """
CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
CREATE TRIGGER held BEFORE UPDATE ON pgqueuer FOR EACH ROW EXECUTE FUNCTION wait_for_test();
SELECT pg_advisory_lock(1);
"""
STOPS_WITHIN = 10


async def test_a_service_ends_although_the_database_hangs_while_it_is_told(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection, patience: None
) -> None:
    del patience
    await connection.execute(HELD)
    waits = backend_waits(connection, "%pgqueuer%")
    before = asyncio.all_tasks()
    ending = running(settings, clock)
    service = await ending.__aenter__()
    await service.add_rule(text_reply("at once"), card())
    await service.push(message(service.clock))
    await eventually(waits)
    (backend,) = await waits()
    os.kill(backend, signal.SIGSTOP)
    try:
        async with asyncio.timeout(STOPS_WITHIN):
            await ending.__aexit__(None, None, None)
            if left := asyncio.all_tasks() - before:
                await asyncio.wait(left)
    finally:
        os.kill(backend, signal.SIGCONT)


async def test_a_job_that_was_tried_keeps_its_time(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply("at once"), card())
    push = message(service.clock)
    await hang_up(service, push)
    await connection.execute("UPDATE pgqueuer SET attempts = 1")
    tried = await starts_at(connection)

    await service.push(push)
    await service.app.state.sending.handovers.stop()

    assert await starts_at(connection) == tried


async def test_a_queued_reply_alone_waits_for_nothing(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card())

    await service.push(message(service.clock))

    assert await starts_at(connection) <= await now(connection)


async def test_without_a_delay_it_waits_for_nothing(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    at_once = settings.model_copy(update={"queued_reply_delay_seconds": 0})
    async with running(at_once, clock) as service:
        await service.add_rule(text_reply("at once"), card())
        await service.push(message(service.clock))
        assert await starts_at(connection) <= await now(connection)


@pytest.mark.parametrize("seconds", [0.5, 10])
async def test_the_delay_can_be_set(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection, seconds: float
) -> None:
    other = settings.model_copy(update={"queued_reply_delay_seconds": seconds})
    async with running(other, clock) as service:
        await service.add_rule(text_reply("at once"), card())
        before = await now(connection)
        await hang_up(service, message(service.clock))
        assert await starts_at(connection) >= before + 5 * SECOND + seconds * SECOND
