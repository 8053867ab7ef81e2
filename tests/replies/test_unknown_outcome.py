"""An attempt whose outcome is unknown uses one of the sends that the window allows."""

from dataclasses import replace

import asyncpg
import pytest

from app.replies.errors import TryLater
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses
from tests.service import SEND, Service, WeChat, column, text_reply

TEXT = text_reply("hello", via="customer_service")


async def sends_left(connection: asyncpg.Connection) -> list[int]:
    return list(await column(connection, "SELECT sends_left FROM send_windows"))


@pytest.mark.parametrize(
    "effect",
    [{"drop": "after"}, {"status": 504}, {"body": '{"code":500}'}, {"body": "<html>"}],
    ids=str,
)
async def test_an_unknown_outcome_uses_a_send(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    effect: dict[str, object],
) -> None:
    callback = await owed(service, wechat, TEXT, TEXT, TEXT)
    await connection.execute("UPDATE send_windows SET sends_left = 2")
    wechat.strike(SEND, **effect)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed", "failed", "held"]
    assert len(wechat.calls(SEND)) == 2
    assert await sends_left(connection) == [0]


@pytest.mark.parametrize(
    "effect",
    [
        {"status": 302, "location": "http://portal.example/"},
        {"status": 403, "body": '{"message":"Forbidden"}'},
        {"status": 404, "body": '{"message":"no Route matched"}'},
        {"status": 502},
    ],
    ids=str,
)
async def test_what_was_certainly_not_sent_uses_none_and_is_tried_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    effect: dict[str, object],
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, **effect, count=1)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    between = await statuses(connection), await sends_left(connection)
    await deliver(jobs, callback)

    assert between == (["pending"], [5])
    assert await statuses(connection) == ["sent"]
    assert await sends_left(connection) == [4]
    assert len(wechat.sent()) == 1


async def test_an_attempt_of_a_worker_that_died_uses_a_send_too(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    await connection.execute("UPDATE replies SET status = 'sending', attempts = 1")
    delivery = replace(jobs.delivery, takeover_seconds=0)

    await deliver(replace(jobs, delivery=delivery), callback)

    assert await statuses(connection) == ["sent"]
    assert await sends_left(connection) == [3]
