"""Many replies share the statements of their usual way; what is not usual is left out."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.db.engine import Database
from app.replies import send_batches
from app.replies.models import Reply, ReplyStatus, WindowTrigger
from app.replies.send_results import SendResult
from app.replies.send_windows import Limits
from app.wechat.ids import AppId
from app.worker import Jobs
from tests.replies.makers import deliver, statuses
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    Json,
    Service,
    WeChat,
    card,
    column,
    message,
    rows,
    text_reply,
)

PEOPLE = [f"oPERSON{number:022d}" for number in range(30)]
LEFT = "SELECT sends_left FROM send_windows ORDER BY openid"


async def owe(service: Service, wechat: WeChat, *openids: str, replies: Sequence[Json]) -> None:
    """Let each of these people be owed these replies."""
    await service.add_rule(*replies)
    for openid in openids:
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
        await service.push(message(service.clock, openid=openid))


@pytest.fixture
async def owed(service: Service, wechat: WeChat, connection: asyncpg.Connection) -> list[UUID]:
    """The ids of two texts, each to a follower of its own, by OpenID."""
    hello = text_reply("hello", via="customer_service")
    await owe(service, wechat, OPENID, OTHER_OPENID, replies=[hello])
    return list(await column(connection, "SELECT id FROM replies ORDER BY openid"))


async def claim(
    database: Database, service: Service, ids: Sequence[UUID]
) -> Sequence[Reply | None]:
    async with database.brief.use() as one:
        return await send_batches.claim(
            one, ids, clock=service.clock, worker="here/1", limits=Limits()
        )


async def test_a_worker_with_many_replies_shares_its_statements(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await owe(service, wechat, *PEOPLE, replies=[card()])
    calls: dict[str, int] = {}
    for name in ("to_send", "claim"):
        monkeypatch.setattr(send_batches, name, counting(calls, name))
    callbacks = await column(connection, "SELECT id FROM callbacks")
    # WeChat's word on the rates is read before the first call.
    await jobs.tokens.rates.admit(AppId(APPID), "message/custom/send")

    await asyncio.gather(*[deliver(jobs, callback) for callback in callbacks])

    assert await statuses(connection) == ["sent"] * len(PEOPLE)
    assert sorted(call["openid"] for call in wechat.calls(SEND)) == PEOPLE
    assert calls == {"to_send": 1, "claim": 1}
    attempts = await rows(
        connection, "SELECT DISTINCT number, status, ended_at FROM reply_attempts"
    )
    assert attempts == [{"number": 1, "status": "sent", "ended_at": service.clock.now()}]


async def test_results_that_come_at_the_same_time_are_recorded_together(
    service: Service,
    database: Database,
    owed: list[UUID],
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: dict[str, int] = {}
    monkeypatch.setattr(send_batches, "mark_sent", counting(calls, "mark_sent"))
    now = service.clock.now()
    claimed = [reply for reply in await claim(database, service, owed) if reply]
    batches = send_batches.SendBatches(database.brief, service.clock, "here/1", Limits())

    found = await asyncio.gather(
        *[batches.mark_sent(SendResult(reply, None, now, now)) for reply in claimed]
    )

    assert (found, calls) == ([False, False], {"mark_sent": 1})
    assert await statuses(connection) == ["sent", "sent"]


def counting(calls: dict[str, int], name: str) -> Any:  # noqa: ANN401 - takes the place of each
    real = getattr(send_batches, name)

    async def call(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - passed on
        calls[name] = calls.get(name, 0) + 1
        return await real(*arguments, **more)

    return call


async def test_a_claim_reserves_a_send_and_begins_an_attempt(
    service: Service, database: Database, owed: list[UUID], connection: asyncpg.Connection
) -> None:
    first, second = await claim(database, service, owed)

    assert first is not None
    assert second is not None
    assert (first.id, second.id) == tuple(owed)
    assert (first.status, first.attempts) == (ReplyStatus.SENDING, 1)
    assert first.reserved_trigger is WindowTrigger.MESSAGE
    assert first.content["content"] == "hello"
    assert await column(connection, LEFT) == [4, 4]
    assert (
        await rows(connection, "SELECT number, worker, status FROM reply_attempts")
        == [{"number": 1, "worker": "here/1", "status": None}] * 2
    )
    assert await claim(database, service, owed) == [None, None]


async def test_one_that_somebody_else_is_at_is_passed_over_without_waiting(
    service: Service, database: Database, owed: list[UUID], connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await connection.execute("SELECT FROM replies WHERE id = $1 FOR UPDATE", owed[0])
        await connection.execute(
            "SELECT FROM send_windows WHERE openid = $1 FOR UPDATE", OTHER_OPENID
        )
        assert await claim(database, service, owed) == [None, None]

    assert await column(connection, LEFT) == [5, 5]
    assert all(await claim(database, service, owed))


async def test_a_follower_one_of_whose_windows_is_locked_is_passed_over(
    service: Service, database: Database, owed: list[UUID], connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO send_windows (appid, openid, trigger, opened_at, expires_at, sends_left) "
        "SELECT appid, openid, 'menu', opened_at, expires_at - interval '1 day', 3 "
        "FROM send_windows WHERE openid = $1",
        OPENID,
    )
    async with connection.transaction():
        await connection.execute("SELECT FROM send_windows WHERE trigger = 'menu' FOR UPDATE")
        passed_over, _ = await claim(database, service, owed)
    (claimed,) = await claim(database, service, owed[:1])

    assert passed_over is None
    assert claimed is not None
    assert claimed.reserved_trigger is WindowTrigger.MENU


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE replies SET status = 'sending'",
        "UPDATE replies SET status = 'held'",
        "UPDATE replies SET status = 'sent'",
        "UPDATE send_windows SET sends_left = 0",
        "UPDATE send_windows SET expires_at = opened_at",
        "DELETE FROM send_windows",
    ],
)
async def test_one_that_takes_a_closer_look_is_not_claimed(
    service: Service,
    database: Database,
    owed: list[UUID],
    connection: asyncpg.Connection,
    change: str,
) -> None:
    await connection.execute(change)

    assert await claim(database, service, owed) == [None, None]


async def test_one_is_due_until_its_window_ends(
    service: Service, database: Database, owed: list[UUID], connection: asyncpg.Connection
) -> None:
    now = service.clock.now()
    await connection.execute("UPDATE replies SET expires_at = $1 WHERE id = $2", now, owed[0])
    later = now + timedelta(microseconds=1)
    await connection.execute("UPDATE replies SET expires_at = $1 WHERE id = $2", later, owed[1])

    late, in_time = await claim(database, service, owed)

    assert late is None
    assert in_time is not None


async def test_of_one_follower_a_single_reply_is_claimed_at_a_time(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    hello = text_reply("hello", via="customer_service")
    await owe(service, wechat, OPENID, replies=[hello] * 3)
    ids = list(await column(connection, "SELECT id FROM replies ORDER BY id"))

    found = await claim(database, service, ids)

    assert [reply is not None for reply in found] == [True, False, False]
    assert await column(connection, LEFT) == [4]


async def test_a_result_is_recorded_once_and_tells_of_others_that_are_held(
    service: Service, database: Database, owed: list[UUID], connection: asyncpg.Connection
) -> None:
    claimed = [reply for reply in await claim(database, service, owed) if reply]
    now = service.clock.now()
    results = [SendResult(reply, None, now, now) for reply in claimed]
    await connection.execute(
        "INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, "
        "status, created_at) SELECT gen_random_uuid(), callback_id, 9, appid, openid, via, "
        "msgtype, content, 'held', created_at FROM replies WHERE openid = $1",
        OTHER_OPENID,
    )

    first = await send_batches.mark_sent(connection, results)
    service.clock.advance(timedelta(hours=1))
    again = await send_batches.mark_sent(
        connection,
        [SendResult(one.reply, None, now, service.clock.now()) for one in results],
    )

    assert list(first) == list(again) == [False, True]
    assert await column(
        connection, "SELECT DISTINCT sent_at FROM replies WHERE status = 'sent'"
    ) == [now]
    assert await column(connection, "SELECT DISTINCT ended_at FROM reply_attempts") == [now]
