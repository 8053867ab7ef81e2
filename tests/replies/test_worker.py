"""The jobs as a worker runs them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from typing import ClassVar

import asyncpg
import httpx
import pytest

from app.db.engine import Database, open_database
from app.doctor.prober import Prober
from app.replies.deliver import CLAIM_LASTS, deliver
from app.replies.errors import TryLater
from app.replies.jobs import DELIVER
from app.replies.send_slots import SendSlots
from app.worker import JOB_CONCURRENCY, Jobs, Worker, entrypoints
from tests.callback.test_handovers import slow_response
from tests.e2e.gate import Gate
from tests.replies.makers import owed, statuses
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    STABLE_TOKEN,
    Json,
    Service,
    WeChat,
    card,
    column,
    event,
    jobs_of,
    message,
    rows,
    text_reply,
)
from tests.waiting import PATIENCE_SECONDS, eventually


@asynccontextmanager
async def working(jobs: Jobs, **patience: float) -> AsyncIterator[Worker]:
    worker = Worker(jobs, **patience)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


def all_are(connection: asyncpg.Connection, status: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return set(await statuses(connection)) == {status}

    return look


async def test_a_card_goes_out_and_its_job_is_gone(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    async with working(jobs):
        await owed(service, wechat, card())
        await eventually(all_are(connection, "sent"))

    assert len(wechat.sent()) == 1
    assert await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", DELIVER
    ) == [0]


async def asks_nothing(_: Prober) -> bool:
    return False


async def test_two_workers_send_each_card_once(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Five seconds after a worker has started the doctor has WeChat answer for the token once more.
    monkeypatch.setattr(Prober, "run", asks_nothing)
    await service.add_rule(card())
    people = [f"oPERSON{number:022d}" for number in range(30)]
    for openid in people:
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
    other = open_database(service.settings.database_url)
    async with working(jobs), working(jobs_of(service.settings, other, wechat)):
        for openid in people:
            await service.push(message(service.clock, openid=openid))
        await eventually(all_are(connection, "sent"))
    await other.close()

    calls = wechat.calls(SEND)
    assert len(calls) == len({call["openid"] for call in calls}) == 30
    assert len(wechat.calls(STABLE_TOKEN)) == 1


async def test_a_card_does_not_overtake_the_passive_reply_on_a_slow_path(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    await service.add_rule(text_reply("at once"), card())
    shop = {"on": "text", "match": "exact", "keyword": "card"}
    await service.add_rule(card(), name="Card alone", trigger=shop)
    wechat.open_window()
    wechat.open_window(OTHER_OPENID)
    async with working(jobs):
        async with slow_response(service, message(service.clock)) as leaves:
            await service.push(message(service.clock, "card", openid=OTHER_OPENID))
            await eventually(lambda: has(wechat.sent, OTHER_OPENID))
            assert not wechat.sent()
            leaves.set()
        await eventually(lambda: has(wechat.sent, OPENID))


async def has(sent: Callable[[str], list[Json]], openid: str) -> bool:
    return bool(sent(openid))


async def test_a_job_of_a_busy_wechat_comes_again_by_itself(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.strike(SEND, errcode=-1, count=1)
    async with working(jobs):
        await owed(service, wechat, card())
        await eventually(all_are(connection, "sent"))

    assert await column(connection, "SELECT attempts FROM replies") == [2]


class Stuck(Jobs):
    """Jobs of which all but the cards take until `freed`."""

    freed = asyncio.Event()
    taken: ClassVar[list[dict[str, str]]] = []

    async def resolve(self, payload: dict[str, str]) -> None:
        self.taken.append(payload)
        await self.freed.wait()

    async def check(self, _: dict[str, str]) -> None:
        await self.resolve({})

    async def check_doctor(self, _: dict[str, str]) -> None:
        await self.resolve({})

    deliver_webhook = erase = retry = renew_link = resolve
    send_notices = settle_notices = publish_menu = renew_qrcode = resolve
    run_tags = send_alarms = add_codes = import_rules = resolve


async def test_cards_go_out_while_every_other_job_is_stuck(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    stuck = Stuck(*(getattr(jobs, field.name) for field in fields(jobs)))
    for kind in entrypoints(jobs).keys() - {DELIVER}:
        await connection.execute(
            "INSERT INTO pgqueuer (priority, entrypoint, execute_after, status) "
            "SELECT 0, $1, now(), 'queued' FROM generate_series(1, 200)",
            kind,
        )

    async def taken() -> bool:
        return len(stuck.taken) == sum(JOB_CONCURRENCY.values())

    async with working(stuck):
        await eventually(taken)
        await owed(service, wechat, card())
        await eventually(all_are(connection, "sent"))
        await connection.execute("DELETE FROM pgqueuer WHERE status = 'queued'")
        stuck.freed.set()


async def test_a_worker_goes_on_after_its_connections_were_cut(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    async with working(jobs):
        await owed(service, wechat, card())
        await eventually(all_are(connection, "sent"))
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await owed(service, wechat, card(), openid=OTHER_OPENID)
        await eventually(all_are(connection, "sent"))

    assert len(wechat.sent(OPENID)) == len(wechat.sent(OTHER_OPENID)) == 1


async def test_a_worker_goes_on_after_its_connections_fell_silent(
    service: Service, wechat: WeChat, database_url: str, connection: asyncpg.Connection
) -> None:
    """After a fail-over of the database nobody tells those who are connected to the old one."""
    async with Gate.before(database_url) as gate:
        gate.open()
        database = open_database(gate.url, command_timeout=1)
        async with working(jobs_of(service.settings, database, wechat), answer_seconds=0.5):
            await owed(service, wechat, card())
            await eventually(all_are(connection, "sent"))
            gate.mute()
            await owed(service, wechat, card(), openid=OTHER_OPENID)
            await eventually(all_are(connection, "sent"))
        await database.close()

    assert len(wechat.sent(OPENID)) == len(wechat.sent(OTHER_OPENID)) == 1


async def test_a_worker_keys_the_follower_and_the_history(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    async def keyed() -> bool:
        return None not in await column(connection, "SELECT unionid FROM follow_events")

    async with working(jobs):
        await service.push(event(service.clock, "subscribe"))
        await eventually(keyed)

    assert await rows(connection, "SELECT count(*)::int AS number FROM follow_events") == [
        {"number": 1}
    ]


class HeldSends:
    """Calls that send a message, each of which waits until it may go on. `most`: at once so far."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.called = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.most = 0
        self._now = 0
        client.event_hooks = {"request": [self._begin], "response": [self._end]}

    async def _begin(self, request: httpx.Request) -> None:
        if request.url.path == SEND:
            self._now += 1
            self.most = max(self.most, self._now)
            self.called.set()
            await self.may_go_on.wait()

    async def _end(self, response: httpx.Response) -> None:
        self._now -= response.request.url.path == SEND


async def owing(service: Service, wechat: WeChat, database: Database, replies: int) -> Jobs:
    """Let people have one reply each; return the jobs of a worker that waits long for WeChat."""
    await service.add_rule(text_reply("hello", via="customer_service"))
    for number in range(replies):
        openid = f"oPERSON{number:022d}"
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        wechat.open_window(openid)
        await service.push(message(service.clock, openid=openid))
    patient = service.settings.model_copy(update={"wechat_api_timeout_seconds": 60.0})
    return jobs_of(patient, database, wechat)


def with_one_call(jobs: Jobs) -> Jobs:
    """Let the worker make one call at once, and claim one more reply meanwhile."""
    delivery = replace(jobs.delivery, slots=SendSlots(2, 2), calls=SendSlots(1, 1))
    return replace(jobs, delivery=delivery)


async def test_a_worker_that_stops_leaves_what_waits_in_it_to_others(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    jobs = await owing(service, wechat, database, 5)
    delivery = replace(jobs.delivery, slots=SendSlots(1, 1))
    sends = HeldSends(wechat.client)

    async with working(replace(jobs, delivery=delivery), stop_seconds=60) as worker:
        await sends.called.wait()
        worker.stop()
        await eventually(lambda: are_queued(connection, 4))
        sends.may_go_on.set()

    assert sorted(await statuses(connection)) == ["pending"] * 4 + ["sent"]
    assert await are_queued(connection, 4)


async def test_the_next_reply_is_claimed_while_a_call_goes_on_and_no_call_is_made_for_it(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    jobs = with_one_call(await owing(service, wechat, database, 5))
    sends = HeldSends(wechat.client)

    async with working(jobs, stop_seconds=60):
        await eventually(lambda: are(connection, ["pending"] * 3 + ["sending"] * 2))
        await sends.called.wait()
        assert sends.most == 1
        sends.may_go_on.set()
        await eventually(all_are(connection, "sent"))

    assert sends.most == 1


async def test_a_worker_that_stops_gives_back_what_it_has_claimed(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    jobs = with_one_call(await owing(service, wechat, database, 5))
    sends = HeldSends(wechat.client)

    async with working(jobs, stop_seconds=60) as worker:
        await eventually(lambda: are(connection, ["pending"] * 3 + ["sending"] * 2))
        await sends.called.wait()
        worker.stop()
        await eventually(lambda: are(connection, ["pending"] * 4 + ["sending"]))
        await eventually(lambda: are_queued(connection, 4))
        sends.may_go_on.set()

    assert await are(connection, ["pending"] * 4 + ["sent"])
    left = "SELECT sends_left FROM send_windows ORDER BY 1"
    assert await column(connection, left) == [4, 5, 5, 5, 5]
    async with working(jobs_of(service.settings, database, wechat)):
        await eventually(all_are(connection, "sent"))
    assert await column(connection, "SELECT sum(uncertain_attempts) FROM replies") == [0]
    assert len(wechat.calls(SEND)) == 5


async def test_a_claimed_reply_that_waited_so_long_that_another_worker_may_have_it_is_not_sent(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    jobs = with_one_call(await owing(service, wechat, database, 2))
    sends = HeldSends(wechat.client)
    callbacks = await column(connection, "SELECT callback_id FROM replies ORDER BY id")
    calling = asyncio.create_task(deliver(jobs.delivery, callbacks[0]))
    await sends.called.wait()
    waiting = asyncio.create_task(deliver(jobs.delivery, callbacks[1]))
    await eventually(lambda: are(connection, ["sending"] * 2))
    service.clock.advance(CLAIM_LASTS)
    # What another worker does that takes the reply over.
    taken = "UPDATE replies SET attempts = attempts + 1 WHERE callback_id = $1"
    await connection.execute(taken, callbacks[1])

    sends.may_go_on.set()
    await calling
    with pytest.raises(TryLater):
        await waiting

    assert len(wechat.calls(SEND)) == 1
    assert await rows(connection, "SELECT status, attempts FROM replies ORDER BY id") == [
        {"status": "sent", "attempts": 1},
        {"status": "sending", "attempts": 2},
    ]


async def test_a_claimed_reply_that_waited_long_and_is_this_workers_still_is_sent_later(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    jobs = with_one_call(await owing(service, wechat, database, 2))
    sends = HeldSends(wechat.client)

    async with working(jobs, stop_seconds=60):
        await sends.called.wait()
        await eventually(lambda: are(connection, ["sending"] * 2))
        service.clock.advance(CLAIM_LASTS)
        sends.may_go_on.set()
        await eventually(all_are(connection, "sent"))

    assert len(wechat.calls(SEND)) == 2
    assert sorted(await column(connection, "SELECT attempts FROM replies")) == [1, 2]
    assert await column(connection, "SELECT sends_left FROM send_windows") == [4, 4]


async def are(connection: asyncpg.Connection, expected: list[str]) -> bool:
    return sorted(await statuses(connection)) == expected


async def are_queued(connection: asyncpg.Connection, number: int) -> bool:
    query = "SELECT status::text FROM pgqueuer WHERE entrypoint = $1 AND status = 'queued'"
    return len(await column(connection, query, DELIVER)) == number
