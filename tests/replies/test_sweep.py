"""The sweep ends what is overdue and finds what no job attends to."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.replies.expire import SWEEP_LIMIT
from app.replies.jobs import DELIVER
from app.worker import Jobs
from tests.replies.makers import owed, statuses
from tests.service import APPID, Service, WeChat, column, message, text_reply

# Each ends a second before the one with the id before.
MANY = """
INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, status,
                     created_at, expires_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 0, $3,
       'o' || n, 'customer_service', 'text', '{}', 'pending',
       $1::timestamptz - interval '2 minutes',
       $1::timestamptz + interval '1 day' - make_interval(secs => n)
FROM generate_series(1, $2) n
"""


@pytest.fixture
def text() -> dict[str, object]:
    return text_reply("hello", via="customer_service")


async def deliveries(connection: asyncpg.Connection) -> list[str]:
    return list(
        await column(
            connection,
            "SELECT convert_from(payload, 'utf8')::jsonb->>'callback_id' FROM pgqueuer "
            "WHERE entrypoint = $1",
            DELIVER,
        )
    )


async def test_what_no_job_attends_to_gets_one_again_and_only_one(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    text: dict[str, object],
) -> None:
    callback = await owed(service, wechat, text, text)
    await connection.execute("DELETE FROM pgqueuer")
    await jobs.sweep()
    fresh = await deliveries(connection)
    service.clock.advance(timedelta(seconds=61))

    await asyncio.gather(jobs.sweep(), jobs.sweep())
    await jobs.sweep()

    assert fresh == []
    assert await deliveries(connection) == [str(callback)]


async def test_of_many_without_a_job_those_that_end_first_get_theirs_first(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """Those that a sweep leaves out are left to the next one, a minute later."""
    await connection.execute(MANY, service.clock.now(), SWEEP_LIMIT + 1, APPID)
    first = await connection.fetchval("SELECT callback_id FROM replies ORDER BY expires_at LIMIT 1")

    await jobs.sweep()

    found = await deliveries(connection)
    assert len(found) == SWEEP_LIMIT
    assert str(first) in found


async def test_a_reply_left_sending_gets_a_job_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    text: dict[str, object],
) -> None:
    callback = await owed(service, wechat, text)
    await connection.execute("UPDATE replies SET status = 'sending'")
    await connection.execute("DELETE FROM pgqueuer")
    service.clock.advance(timedelta(seconds=61))

    await jobs.sweep()

    assert await deliveries(connection) == [str(callback)]


@pytest.mark.parametrize("status", ["pending", "held"])
async def test_what_is_overdue_expires(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    text: dict[str, object],
    status: str,
) -> None:
    await owed(service, wechat, text)
    await connection.execute("UPDATE replies SET status = $1", status)
    service.clock.advance(timedelta(hours=48) - timedelta(seconds=61))
    await jobs.sweep()
    before = await statuses(connection)
    service.clock.advance(timedelta(seconds=1))

    await jobs.sweep()

    assert before == ["pending"], "the window is still open, so a held one was woken"
    assert await statuses(connection) == ["expired"]


async def test_a_final_reply_is_left_alone(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    text: dict[str, object],
) -> None:
    await owed(service, wechat, text, text, text)
    for position, status in enumerate(["sent", "failed", "skipped"]):
        await connection.execute(
            "UPDATE replies SET status = $1 WHERE position = $2", status, position
        )
    service.clock.advance(timedelta(days=3))

    await jobs.sweep()

    assert await statuses(connection) == ["sent", "failed", "skipped"]


async def test_a_held_reply_wakes_when_its_follower_has_a_window_after_all(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    text: dict[str, object],
) -> None:
    callback = await owed(service, wechat, text)
    await connection.execute("UPDATE replies SET status = 'held'")
    await connection.execute("DELETE FROM pgqueuer")
    await connection.execute("UPDATE send_windows SET sends_left = 0")
    service.clock.advance(timedelta(seconds=61))
    await jobs.sweep()
    closed = await statuses(connection)
    await connection.execute("UPDATE send_windows SET sends_left = 1")

    await jobs.sweep()

    assert closed == ["held"]
    assert await statuses(connection) == ["pending"]
    assert await deliveries(connection) == [str(callback)]


async def test_a_sweep_of_nothing_does_nothing(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(message(service.clock, "unanswered"))

    await jobs.sweep()

    assert await deliveries(connection) == []
