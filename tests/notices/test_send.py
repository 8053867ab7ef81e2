"""What becomes of notices: consents, refusals, unknown outcomes, reports, crashes."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from app import refs
from app.db.engine import open_database
from app.db.queue import NewJob, enqueue_on
from app.notices import store
from app.notices.sweep import sweep
from app.settings import Settings
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.call_rates import CallRates
from app.wechat_client.errors import Paused
from app.wechat_client.token_store import Token
from app.wechat_client.tokens import AccessTokens
from app.worker import Jobs
from simulator.faults import Drop
from tests.lock_waits import waiting_backends
from tests.notices.makers import (
    BIZSEND,
    MESSAGE,
    NEWS,
    TEMPLATE_SEND,
    bodies_of,
    consent,
    decided,
    ids_of,
    known,
    queued,
    reported,
    run,
    settle,
    statuses,
)
from tests.service import (
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Service,
    WeChat,
    WorldClock,
    column,
    event,
    jobs_of,
    rows,
)
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio

A_MINUTE = timedelta(minutes=1)
MESSAGE_DATA: dict[str, Any] = {"template_id": MESSAGE, "data": {"character_string1": "K-1"}}


async def test_a_notice_opens_a_page_with_its_ref(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat)
    found = await queued(service, url="https://shop.example.com/")
    assert not await run(jobs, found["send_id"])

    (notice_id,) = ids_of(found)
    (sent,) = bodies_of(wechat)
    assert sent["touser"] == OPENID
    assert sent["data"]["thing3"] == {"value": "请在今天取件"}
    assert sent["page"] == "https://shop.example.com/"
    assert sent["miniprogram"] == {
        "appid": CARD_APPID,
        "pagepath": f"pages/order?ref={refs.of_notice(UUID(str(notice_id)))}&utm_source=notice",
    }
    assert await statuses(connection) == ["sent"]
    assert (await rows(connection, "SELECT state FROM notice_sends")) == [{"state": "done"}]
    assert not await run(jobs, found["send_id"])
    assert len(wechat.calls(BIZSEND)) == 1


async def test_eight_workers_that_race_for_one_consent_make_one_call(
    service: Service,
    wechat: WeChat,
    settings: Settings,
    connection: asyncpg.Connection,
    database_url: str,
) -> None:
    await decided(service, wechat)
    wechat.state.notices.consents.clear()
    wechat.strike(BIZSEND, body='{"errcode":0,"errmsg":"ok"}', latency_seconds=0.1)
    sends = [(await queued(service))["send_id"] for _ in range(8)]
    databases = [open_database(database_url, pool_size=2) for _ in sends]
    workers = [jobs_of(settings, database, wechat) for database in databases]

    await asyncio.gather(
        *(run(worker, send_id) for worker, send_id in zip(workers, sends, strict=True))
    )

    assert len(wechat.calls(BIZSEND)) == 1
    assert sorted(await statuses(connection)) == ["sent", *["skipped"] * 7]
    assert await consent(connection) == (1, 0)
    for database in databases:
        await database.close()


async def test_a_consent_is_used_up_by_the_report_of_the_delivery(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat, times=2)
    for _ in range(3):
        await run(jobs, (await queued(service))["send_id"])
    assert await statuses(connection) == ["sent", "sent", "skipped"]
    assert await consent(connection) == (2, 0)

    first, second = wechat.state.notices.sent
    await reported(service, first.msgid)
    await reported(service, second.msgid, code="1")
    await settle(jobs, connection)

    assert await statuses(connection) == ["delivered", "undelivered", "skipped"]
    assert await consent(connection) == (0, 0)
    (left,) = await rows(connection, "SELECT sends_left FROM consents")
    assert left == {"sends_left": 1}  # the one that did not arrive may be tried again
    notices = await rows(connection, "SELECT msgid, result FROM notices ORDER BY id LIMIT 2")
    assert [one["msgid"] for one in notices] == [str(first.msgid), str(second.msgid)]
    assert notices[1]["result"] == "1 user refuse to accept the msg"


async def test_a_report_is_joined_by_its_msgid_and_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.notices.names_msgid = True
    await decided(service, wechat, times=3)
    for _ in range(3):
        await run(jobs, (await queued(service))["send_id"])
    middle = wechat.state.notices.sent[1].msgid
    await reported(service, middle)
    await settle(jobs, connection)
    service.clock.advance(timedelta(seconds=1))
    await reported(service, middle)  # another push about the same notice
    await reported(service, "99")  # what another system has sent
    await settle(jobs, connection)

    assert await statuses(connection) == ["sent", "delivered", "sent"]
    assert await consent(connection) == (2, 0)


async def test_a_report_that_comes_twice_is_not_joined_to_another_notice(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """No answer of WeChat has named a msgid, so the second notice would take any report."""
    await decided(service, wechat, times=2)
    for _ in range(2):
        await run(jobs, (await queued(service))["send_id"])
    first = wechat.state.notices.sent[0].msgid
    for _ in range(2):
        await reported(service, first)
        service.clock.advance(timedelta(seconds=1))
    await settle(jobs, connection)

    assert await statuses(connection) == ["delivered", "sent"]
    assert await consent(connection) == (1, 0)


async def test_two_jobs_do_not_join_one_report_to_two_notices(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await decided(service, wechat, times=2)
    for _ in range(2):
        await run(jobs, (await queued(service))["send_id"])
    for _ in range(2):
        await reported(service, "77")
        clock.advance(timedelta(seconds=1))
    waiting = await column(
        connection, "SELECT payload FROM pgqueuer WHERE entrypoint = 'notices.settle' ORDER BY id"
    )
    assert len(waiting) == 2

    async def both_wait() -> bool:
        return len(await waiting_backends(connection)) == len(waiting)

    async with connection.transaction():
        await connection.execute("SELECT FROM notices FOR UPDATE")
        settling = [
            asyncio.create_task(jobs.settle_notices(orjson.loads(payload))) for payload in waiting
        ]
        await eventually(both_wait)
    await asyncio.gather(*settling)

    assert sorted(await statuses(connection)) == ["delivered", "sent"]
    assert await consent(connection) == (1, 0)


async def test_a_report_may_come_before_the_answer_to_the_call(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat)
    found = await queued(service)
    wechat.strike(BIZSEND, latency_seconds=0.5, count=1)
    running = asyncio.create_task(run(jobs, found["send_id"]))
    await eventually(wechat.has_struck)
    await reported(service, "77")
    await settle(jobs, connection)
    assert await statuses(connection) == ["delivered"]
    await running

    assert await statuses(connection) == ["delivered"]
    assert await consent(connection) == (0, 0)


async def test_an_unknown_outcome_keeps_the_consent_until_the_report(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    await decided(service, wechat)
    wechat.strike(BIZSEND, drop=Drop.AFTER, count=1)
    found = await queued(service)
    await run(jobs, found["send_id"])
    assert await statuses(connection) == ["unknown"]
    assert await consent(connection) == (1, 0)
    await run(jobs, (await queued(service))["send_id"])
    assert await statuses(connection) == ["unknown", "skipped"]

    clock.advance(timedelta(days=2))
    await sweep(jobs.database.sessions, clock)
    await run(jobs, found["send_id"])
    assert len(wechat.calls(BIZSEND)) == 1
    await reported(service, wechat.state.notices.sent[0].msgid)
    await settle(jobs, connection)
    assert await statuses(connection) == ["delivered", "skipped"]
    assert await consent(connection) == (0, 0)


async def test_a_template_message_is_repeated_under_its_id_and_arrives_once(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    await known(service, OPENID)
    wechat.strike(TEMPLATE_SEND, drop=Drop.AFTER, count=1)
    found = await queued(service, **MESSAGE_DATA)
    assert await run(jobs, found["send_id"])
    assert await statuses(connection) == ["pending"]
    clock.advance(timedelta(seconds=5))
    assert not await run(jobs, found["send_id"])

    (sent,) = wechat.state.notices.sent
    assert sent.body["client_msg_id"] == ids_of(found)[0].hex
    assert len(wechat.calls(TEMPLATE_SEND)) == 2
    report = event(clock, "TEMPLATESENDJOBFINISH", MsgID=sent.msgid, Status="failed:user block")
    await service.push(report)
    await settle(jobs, connection)
    (row,) = await rows(connection, "SELECT status, msgid, result FROM notices")
    assert row == {
        "status": "undelivered",
        "msgid": str(sent.msgid),
        "result": "failed:user block",
    }


async def test_after_no_consent_is_left_a_new_one_counts(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await decided(service, wechat, times=2)
    wechat.state.notices.consents.clear()
    for _ in range(2):
        await run(jobs, (await queued(service))["send_id"])
    assert await statuses(connection) == ["failed", "skipped"]
    assert len(wechat.calls(BIZSEND)) == 1

    clock.advance(timedelta(minutes=1))
    await decided(service, wechat)
    for _ in range(2):
        await run(jobs, (await queued(service))["send_id"])
    assert await statuses(connection) == ["failed", "skipped", "sent", "skipped"]


async def test_calls_that_would_be_refused_are_not_made(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await decided(service, wechat, times=3)
    wechat.strike(BIZSEND, errcode=45009)
    first = (await queued(service))["send_id"]
    assert await run(jobs, first)
    second = (await queued(service))["send_id"]
    assert await run(jobs, first)
    assert await run(jobs, second)
    assert len(wechat.calls(BIZSEND)) == 1
    (row, _) = await rows(connection, "SELECT attempts FROM notices ORDER BY id")
    assert row == {"attempts": 0}

    wechat.state.faults.clear()
    clock.advance(timedelta(days=1))
    for send_id in (first, second):
        await run(jobs, send_id)
    assert await statuses(connection) == ["sent", "sent"]


@pytest.mark.parametrize(("errcode", "calls"), [(-1, 8), (43108, 2)])
async def test_a_busy_wechat_is_asked_again_a_bounded_number_of_times(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    errcode: int,
    calls: int,
) -> None:
    await decided(service, wechat)
    wechat.strike(BIZSEND, errcode=errcode)
    found = await queued(service)
    while await run(jobs, found["send_id"]):
        clock.advance(timedelta(minutes=25))
    assert len(wechat.calls(BIZSEND)) == calls
    assert await statuses(connection) == ["failed"]
    assert await consent(connection) == (0, 0)


async def test_a_long_term_consent_allows_any_number_until_it_is_refused(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    wanted: dict[str, Any] = {"template_id": NEWS, "data": {"enum_string2": "待取"}}
    await decided(service, wechat, template_id=NEWS)
    for _ in range(3):
        await run(jobs, (await queued(service, **wanted))["send_id"])
    assert await statuses(connection) == ["sent"] * 3

    clock.advance(timedelta(minutes=1))
    await decided(service, wechat, "reject", template_id=NEWS)
    await run(jobs, (await queued(service, **wanted))["send_id"])
    assert await statuses(connection) == ["sent"] * 3 + ["skipped"]
    assert len(wechat.calls(BIZSEND)) == 3
    clock.advance(timedelta(minutes=1))
    await decided(service, wechat, template_id=NEWS)
    await run(jobs, (await queued(service, **wanted))["send_id"])
    assert await statuses(connection) == ["sent"] * 3 + ["skipped", "sent"]
    assert await rows(connection, "SELECT 1 FROM notice_consents") == []


async def test_a_worker_that_dies_leaves_one_notice_in_doubt_and_loses_none(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    settings: Settings,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.notices.send.CALLS_AT_ONCE", 1)
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid)
    found = await queued(service, OPENID, OTHER_OPENID)
    wechat.strike(BIZSEND, latency_seconds=5.0, count=1)
    dying = asyncio.create_task(run(jobs, found["send_id"]))
    await eventually(wechat.has_struck)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    clock.advance(timedelta(seconds=2))
    other = jobs_of(settings, jobs.database, wechat)
    assert await run(other, found["send_id"])
    assert await statuses(connection) == ["sending", "sent"]
    clock.advance(store.LEASE + timedelta(seconds=1))
    await sweep(jobs.database.sessions, clock)
    assert not await run(other, found["send_id"])

    assert await statuses(connection) == ["unknown", "sent"]
    assert await consent(connection) == (1, 0)
    assert [one["touser"] for one in bodies_of(wechat)] == [OTHER_OPENID]
    assert (await rows(connection, "SELECT state FROM notice_sends")) == [{"state": "done"}]


async def test_nothing_is_in_doubt_while_a_call_waits_for_its_token_and_its_turn(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await decided(service, wechat, times=2)
    seen = list[list[str]]()

    async def admit(_rates: CallRates, _appid: AppId, api: str) -> None:
        if api == "message/subscribe/bizsend":
            seen.append(await statuses(connection))
            if len(seen) == 1:
                raise Paused(ApiError(None, "put off", Action.RETRY), clock.now() + A_MINUTE)

    get = AccessTokens.get

    async def watched(tokens: AccessTokens, appid: AppId) -> Token:
        seen_by_token.append(await statuses(connection))
        return await get(tokens, appid)

    seen_by_token = list[list[str]]()
    monkeypatch.setattr(CallRates, "admit", admit)
    monkeypatch.setattr(AccessTokens, "get", watched)
    found = await queued(service)
    assert await run(jobs, found["send_id"])
    assert seen_by_token[0] == seen[0] == ["pending"]
    (row,) = await rows(connection, "SELECT first_at, holds_consent FROM notices")
    assert row == {"first_at": None, "holds_consent": False}

    assert await run(jobs, found["send_id"])
    assert len(seen) == 1
    clock.advance(A_MINUTE)
    await run(jobs, found["send_id"])
    assert (seen[1], await statuses(connection)) == (["pending"], ["sent"])


async def test_a_result_is_recorded_when_the_database_is_back(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.db.repeat_write.PAUSE_SECONDS", 0.01)
    await decided(service, wechat)
    found = await queued(service)
    failures = iter([ConnectionResetError(), ConnectionResetError()])
    mark_sent = store.mark_sent

    async def fail_twice(session: AsyncSession, claim: store.Claim, msgid: str | None) -> None:
        for error in failures:
            raise error
        await mark_sent(session, claim, msgid)

    monkeypatch.setattr(store, "mark_sent", fail_twice)
    await run(jobs, found["send_id"])
    assert await statuses(connection) == ["sent"]
    assert len(wechat.calls(BIZSEND)) == 1


async def test_the_sweep_enqueues_the_job_of_a_send_that_has_none(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await known(service, OPENID)
    await queued(service)
    await connection.execute("DELETE FROM pgqueuer")
    for _ in range(2):
        await sweep(jobs.database.sessions, clock)
    (count,) = await rows(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'notices.send'"
    )
    assert count == {"count": 1}


async def test_a_notice_that_another_worker_puts_back_meanwhile_is_not_left_behind(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await decided(service, wechat)
    found = await queued(service)
    await connection.execute("UPDATE notices SET status = 'sending'")

    def put_back(*arguments: object) -> None:
        statement = str(arguments[2])
        if statement.lstrip().startswith("SELECT") and "FROM notices WHERE send_id" in statement:
            await_only(connection.execute("UPDATE notices SET status = 'pending'"))

    listening_to = (jobs.database.engine.sync_engine, "after_cursor_execute", put_back)
    sqlalchemy_event.listen(*listening_to)
    assert await run(jobs, found["send_id"])
    sqlalchemy_event.remove(*listening_to)

    assert await statuses(connection) == ["pending"]
    clock.advance(timedelta(seconds=1))
    await run(jobs, found["send_id"])
    assert await statuses(connection) == ["sent"]


async def test_a_report_whose_commit_breaks_off_is_joined_when_it_is_recorded(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await decided(service, wechat)
    await run(jobs, (await queued(service))["send_id"])
    failures = iter([ConnectionResetError()])

    async def fail_once(opened: asyncpg.Connection, new: Sequence[NewJob]) -> None:
        for error in failures:
            raise error
        await enqueue_on(opened, new)

    monkeypatch.setattr("app.callback.commit_batch.enqueue_on", fail_once)
    await reported(service, wechat.state.notices.sent[0].msgid)

    async def has_job() -> list[object]:
        query = "SELECT 1 FROM pgqueuer WHERE entrypoint = 'notices.settle'"
        return list(await connection.fetch(query))

    await eventually(has_job)
    await settle(jobs, connection)
    assert await statuses(connection) == ["delivered"]


async def test_notices_outlast_an_outage_without_an_attempt_for_each_hour_of_it(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    await known(service, OPENID, OTHER_OPENID)
    sends = [
        (await queued(service, OPENID, OTHER_OPENID, **MESSAGE_DATA))["send_id"] for _ in range(3)
    ]
    wechat.strike(TEMPLATE_SEND, status=502)
    for _ in range(90):
        for send_id in sends:
            await run(jobs, send_id)
        await jobs.tokens.problems.store()
        clock.advance(timedelta(minutes=1))
    during = await statuses(connection)
    tried = len(wechat.calls(TEMPLATE_SEND))
    wechat.state.faults.clear()

    for _ in range(3):
        for send_id in sends:
            await run(jobs, send_id)
        clock.advance(timedelta(minutes=1))

    assert during == ["pending"] * 6
    assert tried <= 6 + 90
    assert await statuses(connection) == ["sent"] * 6
