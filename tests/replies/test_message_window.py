"""The window of a message has a row once a send needs it, and counts as it does with one."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.db.engine import connect
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses
from tests.replies.test_ledger import workers
from tests.service import OPENID, SEND, Service, WeChat, column, event, message, text_reply

TEXT = text_reply("hello", via="customer_service")
WINDOW = "SELECT (opened_at, sends_left) FROM send_windows WHERE trigger = 'message'"
HELD = "UPDATE replies SET status = 'held'"
USED_UP = "UPDATE send_windows SET sends_left = 0"


async def says(service: Service, wechat: WeChat) -> None:
    """Let the follower write, a second later, what no rule answers."""
    service.clock.advance(timedelta(seconds=1))
    wechat.open_window(OPENID)
    answer = await service.push(message(service.clock, "no rule waits for this"))
    assert answer.text == "success"


async def test_a_message_wakes_what_is_held_and_its_window_is_made_for_that(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute(HELD)
    await connection.execute(USED_UP)
    await connection.execute("DELETE FROM pgqueuer")
    first = service.clock.now()

    await says(service, wechat)
    before = await column(connection, WINDOW)
    woken = await statuses(connection)
    announced = await column(connection, "SELECT payload FROM pgqueuer")
    await deliver(jobs, callback)

    assert before == [(first, 0)]
    assert woken == ["pending"]
    assert [str(callback) in payload.decode() for payload in announced] == [True]
    assert await statuses(connection) == ["sent"]
    assert await column(connection, WINDOW) == [(service.clock.now(), 4)]


async def test_workers_that_race_make_one_window_and_no_call_too_many(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, *[TEXT] * 3)
    for _ in range(3):
        await service.push(message(service.clock))
    callbacks = await column(connection, "SELECT id FROM callbacks")
    assert callback in callbacks
    await connection.execute("DELETE FROM send_windows")

    async with workers(service, wechat, 4) as four:
        await asyncio.gather(
            *(deliver(jobs, one) for jobs, one in zip(four, callbacks, strict=True))
        )

    assert len(wechat.calls(SEND)) == len(wechat.sent()) == 5
    assert sorted(await statuses(connection)) == ["held"] * 7 + ["sent"] * 5
    assert await column(connection, WINDOW) == [(service.clock.now(), 0)]


async def test_a_message_fills_the_window_again_before_the_next_send_takes_of_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute("UPDATE send_windows SET sends_left = 2")

    await says(service, wechat)
    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]
    assert await column(connection, WINDOW) == [(service.clock.now(), 4)]


async def test_a_held_reply_that_was_not_woken_is_found_by_the_sweep(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, TEXT)
    await connection.execute(USED_UP)
    await connection.execute(HELD)
    await jobs.sweep()
    closed = await statuses(connection)
    await says(service, wechat)
    await connection.execute(HELD)

    await jobs.sweep()

    assert closed == ["held"]
    assert await statuses(connection) == ["pending"]


async def test_wechats_word_closes_a_window_that_has_no_row_yet(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    service.clock.advance(timedelta(seconds=1))
    wechat.strike(SEND, errcode=45015, count=1)

    async def message_meanwhile(request: httpx.Request) -> None:
        if request.url.path == SEND:
            await connection.execute(
                "UPDATE openids SET messaged_at = messaged_at + interval '1 microsecond'"
            )

    wechat.client.event_hooks = {"request": [message_meanwhile], "response": []}
    await asyncio.gather(deliver(jobs, callback), return_exceptions=True)
    service.clock.advance(timedelta(seconds=61))
    await jobs.sweep()

    assert await statuses(connection) == ["held"]
    assert [left for _, left in await column(connection, WINDOW)] == [0]


@pytest.mark.parametrize("end", ["left", "erased"])
async def test_a_message_from_before_the_end_opens_no_window(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, end: str
) -> None:
    await says(service, wechat)
    service.clock.advance(timedelta(seconds=1))
    if end == "left":
        await service.push(event(service.clock, "unsubscribe"))
    else:
        await connection.execute("UPDATE openids SET erased_until = $1", service.clock.now())
    service.clock.advance(timedelta(seconds=1))
    callback = await owed(service, wechat, TEXT)
    await connection.execute("DELETE FROM send_windows")
    await connection.execute(
        "UPDATE openids SET messaged_at = $1", service.clock.now() - timedelta(seconds=2)
    )

    await deliver(jobs, callback)
    await jobs.sweep()

    assert await statuses(connection) == ["held"]
    assert await column(connection, "SELECT count(*) FROM send_windows") == [0]


async def test_no_window_is_made_for_who_is_being_erased(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    database_url: str,
    connection: asyncpg.Connection,
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute("DELETE FROM send_windows")
    async with AsyncExitStack() as stack:
        erasure = await connect(database_url)
        stack.push_async_callback(erasure.close)
        await stack.enter_async_context(erasure.transaction())
        await erasure.execute("SELECT FROM openids FOR UPDATE")

        await deliver(jobs, callback)

        assert await statuses(connection) == ["held"]
        assert await column(connection, WINDOW) == []


async def test_a_message_of_long_ago_opens_no_window(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute("DELETE FROM send_windows")
    await connection.execute("UPDATE replies SET expires_at = NULL")
    service.clock.advance(timedelta(hours=47, minutes=59))

    await deliver(jobs, callback)

    assert await statuses(connection) == ["held"]
    assert wechat.calls(SEND) == []
    assert await column(connection, WINDOW) == []


async def test_a_push_from_before_the_erasure_notes_no_time(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    late = message(service.clock, "late")
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "VIEW", EventKey="https://shop.example.com"))
    await connection.execute("UPDATE openids SET erased_until = $1", service.clock.now())

    await service.push(late)
    noted = await column(connection, "SELECT messaged_at FROM openids")
    await says(service, wechat)

    assert noted == [None]
    assert await column(connection, "SELECT messaged_at FROM openids") == [service.clock.now()]
