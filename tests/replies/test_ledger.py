"""A send is reserved before WeChat is called, and settled after it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import asyncpg
import pytest

from app.db.engine import Database, open_database
from app.replies import ledger, store
from app.replies.errors import TryLater
from app.replies.models import Reply, ReplyStatus, WindowTrigger
from app.replies.retry_policy import SendOutcome, WindowVerdict
from app.replies.send_batches import claim, mark_sent
from app.replies.send_results import SendResult
from app.replies.send_windows import Limits
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses, written
from tests.service import (
    APPID,
    OPENID,
    SEND,
    Service,
    WeChat,
    column,
    event,
    jobs_of,
    message,
    rows,
    text_reply,
)

TEXT = text_reply("hello", via="customer_service")
LEFT = "SELECT sends_left FROM send_windows"
WAKE = "UPDATE replies SET status = 'pending' WHERE status = 'held'"
DELIVERIES = "SELECT payload FROM pgqueuer WHERE entrypoint = 'replies.deliver'"


@asynccontextmanager
async def workers(service: Service, wechat: WeChat, number: int) -> AsyncIterator[Sequence[Jobs]]:
    """So many workers, each with connections and a memory of its own."""
    async with AsyncExitStack() as stack:
        databases = [open_database(service.settings.database_url, pool_size=1)]
        databases += [
            open_database(service.settings.database_url, pool_size=1) for _ in range(number - 1)
        ]
        for database in databases:
            stack.push_async_callback(database.close)
        yield [jobs_of(service.settings, database, wechat) for database in databases]


async def of_priorities(
    service: Service, wechat: WeChat, connection: asyncpg.Connection, *priorities: int
) -> list[UUID]:
    """Let rules of these priorities owe a follower one text each; return the callbacks."""
    wechat.open_window(OPENID)
    for priority in priorities:
        trigger = {"on": "text", "match": "exact", "keyword": f"p{priority}"}
        await service.add_rule(
            text_reply(str(priority), via="customer_service"), priority=priority, trigger=trigger
        )
    for priority in priorities:
        await service.push(message(service.clock, f"p{priority}"))
    await connection.execute("DELETE FROM pgqueuer")
    found: list[UUID] = list(await column(connection, "SELECT id FROM callbacks ORDER BY id"))
    return found


async def state(connection: asyncpg.Connection) -> dict[str, str]:
    """The status of each text."""
    found = await rows(connection, "SELECT content->>'content' AS said, status FROM replies")
    return {row["said"]: row["status"] for row in found}


async def test_eight_workers_that_race_for_five_sends_make_five_calls(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, TEXT)
    for _ in range(7):
        await written(service, wechat)
    callbacks = await column(connection, "SELECT id FROM callbacks")
    assert await column(connection, LEFT) == [5]
    wechat.strike(SEND, latency_seconds=0.3)

    async with workers(service, wechat, 8) as eight:
        await asyncio.gather(
            *(deliver(jobs, callback) for jobs, callback in zip(eight, callbacks, strict=True))
        )

    assert len(wechat.calls(SEND)) == len(wechat.sent()) == 5
    assert sorted(await statuses(connection)) == ["held"] * 3 + ["sent"] * 5
    assert await column(connection, LEFT) == [0]


async def test_a_reservation_stands_before_the_call_and_is_given_back_when_nothing_was_sent(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=-1, latency_seconds=0.3, count=1)
    sending = asyncio.create_task(deliver(jobs, callback))
    during: list[int] = []
    while not sending.done():
        during += await column(connection, "SELECT sends_left FROM send_windows")
        await asyncio.wait([sending], timeout=0.05)

    with pytest.raises(TryLater):
        await sending

    assert 4 in during
    assert await column(connection, LEFT) == [5]
    assert await column(connection, "SELECT reserved_trigger FROM replies") == [None]


@pytest.mark.parametrize("errcode", [45015, 45047])
async def test_wechats_word_corrects_the_ledger_and_nothing_is_given_back_after_it(
    service: Service,
    wechat: WeChat,
    database: Database,
    connection: asyncpg.Connection,
    errcode: int,
) -> None:
    await owed(service, wechat, TEXT, TEXT)
    first, second = await column(connection, "SELECT id FROM replies ORDER BY id")
    now = service.clock.now()
    claimed = [await _claim(database, reply_id, service) for reply_id in (first, second)]
    closed = SendOutcome(ReplyStatus.HELD, errcode, "closed", window=WindowVerdict.CLOSED)
    busy = SendOutcome(ReplyStatus.PENDING, -1, "busy")

    for reply, outcome in zip(claimed, (closed, busy), strict=True):
        async with database.sessions.begin() as session:
            await store.mark_unsent(session, reply, outcome, tried_at=now, limits=Limits())

    assert await column(connection, LEFT) == [0]
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "CLICK", EventKey="x"))
    assert sorted(await column(connection, LEFT)) == [0, 3]


async def test_a_window_that_opened_after_a_call_is_left_as_it_is(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT, TEXT)
    tried_at = service.clock.now()
    earlier = [await _claim(database, one, service) for one in await _replies(connection, callback)]
    service.clock.advance(timedelta(seconds=1))
    callback = await written(service, wechat)
    await _claim(database, (await _replies(connection, callback))[0], service)
    closed = SendOutcome(ReplyStatus.HELD, 45015, "closed", window=WindowVerdict.CLOSED)
    busy = SendOutcome(ReplyStatus.PENDING, -1, "busy")

    for reply, outcome in zip(earlier, (busy, closed), strict=True):
        async with database.sessions.begin() as session:
            await store.mark_unsent(session, reply, outcome, tried_at=tried_at, limits=Limits())
        assert await column(connection, LEFT) == [4]


async def _replies(connection: asyncpg.Connection, callback: UUID) -> Sequence[UUID]:
    of_callback = "SELECT id FROM replies WHERE callback_id = $1 ORDER BY position"
    found: list[UUID] = list(await column(connection, of_callback, callback))
    return found


async def _claim(database: Database, reply_id: UUID, service: Service) -> Reply:
    async with database.sessions.begin() as session:
        reply = await store.claim(session, reply_id, service.clock.now(), Limits())
    assert reply is not None
    return reply


async def test_sends_that_are_scarce_go_to_the_rules_of_the_highest_priority(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callbacks = await of_priorities(service, wechat, connection, 10, 50, 100)
    await connection.execute("UPDATE send_windows SET sends_left = 2")

    for callback in callbacks:
        await deliver(jobs, callback)

    assert await state(connection) == {"10": "held", "50": "sent", "100": "sent"}
    (why,) = await column(connection, "SELECT errmsg FROM replies WHERE status = 'held'")
    assert why == ledger.KEPT_FOR_OTHERS


async def test_of_several_open_windows_the_one_that_ends_first_is_charged(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    now = service.clock.now()
    await connection.execute(
        "INSERT INTO send_windows (appid, openid, trigger, opened_at, expires_at, sends_left) "
        "VALUES ($1, $2, 'menu', $3, $4, 3)",
        APPID,
        OPENID,
        now,
        now + timedelta(seconds=55),
    )
    (reply_id,) = await _replies(connection, callback)

    reply = await _claim(jobs.database, reply_id, service)

    assert reply.reserved_trigger is WindowTrigger.MENU
    assert await rows(connection, "SELECT trigger, sends_left FROM send_windows ORDER BY 1") == [
        {"trigger": "menu", "sends_left": 2},
        {"trigger": "message", "sends_left": 5},
    ]


async def test_of_those_that_yielded_the_one_of_the_highest_priority_gets_the_send_that_is_left(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    *_, high = await of_priorities(service, wechat, connection, 10, 50, 100)
    await connection.execute("UPDATE send_windows SET sends_left = 1")
    await connection.execute(
        "UPDATE replies SET status = 'held' WHERE content->>'content' IN ('10', '50')"
    )
    # Their order is not that of their priorities.
    await connection.execute(
        "UPDATE replies SET id = lpad(content->>'content', 32, '0')::uuid WHERE status = 'held'"
    )
    wechat.strike(SEND, errcode=40003, count=1)

    await deliver(jobs, high)

    assert await state(connection) == {"10": "held", "50": "pending", "100": "failed"}


async def test_with_enough_sends_the_first_comes_first(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callbacks = await of_priorities(service, wechat, connection, 10, 50, 100)

    await deliver(jobs, callbacks[0])

    assert await state(connection) == {"10": "sent", "50": "pending", "100": "pending"}


async def test_who_yielded_is_sent_as_soon_as_the_other_one_needs_no_send(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    low, high = await of_priorities(service, wechat, connection, 10, 100)
    await connection.execute("UPDATE send_windows SET sends_left = 1")
    await deliver(jobs, low)
    yielded = await state(connection)
    wechat.strike(SEND, errcode=40003, count=1)

    await deliver(jobs, high)
    woken = await state(connection), await column(connection, DELIVERIES)
    await deliver(jobs, low)

    assert yielded == {"10": "held", "100": "pending"}
    assert woken[0] == {"10": "pending", "100": "failed"}
    assert [str(low) in payload.decode() for payload in woken[1]] == [True]
    assert await state(connection) == {"10": "sent", "100": "failed"}


async def test_a_reply_that_wechat_refuses_for_its_own_sake_keeps_nobody_waiting(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    low, high = await of_priorities(service, wechat, connection, 10, 100)
    await connection.execute("UPDATE send_windows SET sends_left = 1")
    wechat.strike(SEND, errcode=-1, count=1)
    with pytest.raises(TryLater):
        await deliver(jobs, high)

    await deliver(jobs, low)

    assert await state(connection) == {"10": "sent", "100": "pending"}


async def test_a_worker_that_died_after_its_call_has_used_its_reservation(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    database: Database,
    connection: asyncpg.Connection,
) -> None:
    callback = await owed(service, wechat, TEXT)
    (reply_id,) = await column(connection, "SELECT id FROM replies")
    await _claim(database, reply_id, service)
    died = await column(connection, LEFT)

    await deliver(replace(jobs, delivery=replace(jobs.delivery, takeover_seconds=0)), callback)

    assert died == [4]
    assert await column(connection, LEFT) == [3]
    assert await statuses(connection) == ["sent"]


@pytest.mark.parametrize("seed", range(8))
async def test_no_order_of_events_allows_more_calls_than_the_window(
    service: Service,
    wechat: WeChat,
    database: Database,
    connection: asyncpg.Connection,
    seed: int,
) -> None:
    """Calls that may count never exceed the sends, and a send that did not count is not lost."""
    drawn = Random(seed)  # noqa: S311 - no secret
    callback = await owed(service, wechat, *[TEXT] * 10)
    waiting = list(
        await column(connection, "SELECT id FROM replies WHERE callback_id = $1", callback)
    )
    claimed: list[Reply] = []
    used = 0
    for _ in range(60):
        if waiting and drawn.random() < 0.6:
            reply = await claimed_by_either_way(database, service, waiting[0], drawn)
            assert (reply.status is ReplyStatus.HELD) == (used + len(claimed) == 5)
            if reply.status is ReplyStatus.SENDING:
                claimed.append(reply)
                waiting.pop(0)
            else:
                await connection.execute(WAKE)
        elif claimed:
            reply = claimed.pop(drawn.randrange(len(claimed)))
            ending = drawn.choice(["sent", "unknown", "busy", "busy"])
            if ending == "sent":
                now = service.clock.now()
                await mark_sent(connection, [SendResult(reply, None, now, now)])
            else:
                verdict = WindowVerdict.USED if ending == "unknown" else WindowVerdict.OPEN
                status = ReplyStatus.FAILED if ending == "unknown" else ReplyStatus.PENDING
                outcome = SendOutcome(status, None, ending, window=verdict)
                async with database.sessions.begin() as session:
                    await store.mark_unsent(
                        session, reply, outcome, tried_at=service.clock.now(), limits=Limits()
                    )
            used += ending != "busy"
            waiting += [reply.id] if ending == "busy" else []
        assert await column(connection, LEFT) == [5 - used - len(claimed)]


async def claimed_by_either_way(
    database: Database, service: Service, reply_id: UUID, drawn: Random
) -> Reply:
    """Claim a reply as one of many, or by itself if that is drawn or takes a closer look."""
    if drawn.random() < 0.5:
        async with database.brief.use() as one:
            (reply,) = await claim(
                one, [reply_id], clock=service.clock, worker="one", limits=Limits()
            )
        if reply is not None:
            return reply
    async with database.sessions.begin() as session:
        reply = await store.claim(session, reply_id, service.clock.now(), Limits())
    assert reply is not None
    return reply
