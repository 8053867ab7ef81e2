"""While no answer of WeChat comes, calls wait, and go on soon after it answers again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.wechat.errcodes import Action
from app.wechat.ids import AppId
from app.wechat_client.errors import Paused
from app.wechat_client.pauses import begins_outage
from app.worker import Jobs
from simulator.faults import Drop
from tests.replies.makers import fates, owed, statuses, written
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    STABLE_TOKEN,
    Service,
    WeChat,
    column,
    rows,
    text_reply,
)
from tests.wechat_client.paused_calls import attempt, learn

TEXT = text_reply("hello", via="customer_service")
ID = AppId(APPID)
API = "message/custom/send"
NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def fail(jobs: Jobs, callback: UUID, times: int = 5) -> timedelta | None:
    """Run a job so often; return after which time it wants to run again at last."""
    return [await attempt(jobs, callback) for _ in range(times)][-1]


def told(logs: Sequence[Any]) -> list[tuple[str, bool]]:
    """Return what the log has about calls, and whether it says that they wait."""
    return [
        (line["event"], line.get("paused_until") is not None)
        for line in logs
        if line["event"].startswith("wechat.call")
    ]


@pytest.mark.parametrize(
    ("seconds", "begins"),
    [
        ([], False),
        ([0, 0, 0, 0], False),
        ([0, 0, 0, 0, 0], True),
        ([0, 1, 2, 3, 30], True),
        ([0, 1, 2, 3, 30.001], False),
        ([-900, 0, 1, 2, 3, 4], True),
    ],
)
def test_five_calls_in_half_a_minute_begin_an_outage(seconds: list[float], begins: bool) -> None:
    assert begins_outage([NOW + timedelta(seconds=one) for one in seconds]) == begins


async def test_several_calls_without_an_answer_stop_those_of_every_worker(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(SEND, status=502)

    with capture_logs() as logs:
        delay = await fail(jobs, first)
        await learn(jobs, other)
        for worker in (jobs, other) * 3:
            await attempt(worker, first)
            await attempt(worker, second)
        await learn(jobs, other)

    assert delay is not None
    assert 2 * SECOND <= delay <= 3 * SECOND
    assert len(wechat.calls(SEND)) == 5
    assert sorted(fate["attempts"] for fate in await fates(connection)) == [0, 5]
    assert await statuses(connection) == ["pending", "pending"]
    (row,) = await rows(connection, "SELECT * FROM api_problems")
    assert (row["appid"], row["api"], row["errcode"], row["count"]) == (APPID, API, None, 5)
    assert row["probe_at"] == service.clock.now() + 2 * SECOND
    assert told(logs) == [("wechat.call_failed", False), ("wechat.call_failed", True)]
    for jobs_of_one in (jobs, other):
        assert jobs_of_one.tokens.paused_accounts("message/custom/send") == [APPID]
        assert jobs_of_one.tokens.pause(ID, "media/upload") is None
    reasons = await column(connection, "SELECT errmsg FROM replies WHERE attempts = 0")
    assert reasons[0].startswith("HTTP 502 came instead of an answer")


@pytest.mark.parametrize("between", [{}, {"errcode": 45015}, {"errcode": -1}])
async def test_an_answer_between_failures_lets_calls_go_on(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    between: dict[str, Any],
) -> None:
    callback = await owed(service, wechat, TEXT)
    for _ in range(3):
        wechat.strike(SEND, status=502, count=4)
        if between:
            wechat.strike(SEND, **between, count=1)
        else:
            other = await written(service, wechat, openid=OTHER_OPENID)
        await fail(jobs, callback, 4)
        assert jobs.tokens.pause(ID, "message/custom/send") is None
        await attempt(jobs, callback if between else other)
        await connection.execute("UPDATE replies SET status = 'pending' WHERE status = 'held'")
        await connection.execute("UPDATE send_windows SET sends_left = 5")
        wechat.open_window()
        service.clock.advance(SECOND)

    assert len(wechat.calls(SEND)) == 15
    assert jobs.tokens.pause(ID, "message/custom/send") is None


async def test_failures_that_are_far_apart_let_calls_go_on(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502)

    for _ in range(8):
        await attempt(jobs, callback)
        service.clock.advance(8 * SECOND)

    assert len(wechat.calls(SEND)) == 8
    assert jobs.tokens.pause(ID, "message/custom/send") is None


async def test_a_call_is_tried_after_seconds_and_then_less_often(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502)
    await fail(jobs, callback, 4)
    made: list[int] = []
    for second in range(130):
        before = len(wechat.calls(SEND))
        await attempt(jobs, callback)
        await learn(jobs)
        if len(wechat.calls(SEND)) > before:
            made.append(second)
        service.clock.advance(SECOND)

    assert made == [0, 2, 7, 17, 37, 67, 97, 127]
    (row,) = await rows(connection, "SELECT count, probes FROM api_problems")
    assert (row["count"], row["probes"]) == (4 + len(made), 7)


async def test_the_first_answer_lets_all_calls_go_on(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(SEND, status=502, count=6)
    with capture_logs() as logs:
        await fail(jobs, first)
        await learn(jobs, other)
        service.clock.advance(2 * SECOND)
        await attempt(other, second)
        await learn(other, jobs)
        service.clock.advance(5 * SECOND)
        assert await attempt(jobs, first) is None
        await learn(jobs, other)
        assert await attempt(other, second) is None

    assert await statuses(connection) == ["sent", "sent"]
    assert len(wechat.calls(SEND)) == 8
    assert await rows(connection, "SELECT * FROM api_problems") == []
    assert await rows(connection, "SELECT * FROM ended_pauses") == [], "it was short"
    assert told(logs)[-2:] == [("wechat.call_failed", True), ("wechat.calls_resumed", False)]
    assert sorted(fate["attempts"] for fate in await fates(connection)) == [2, 6]


async def test_an_outage_is_told_and_counted_from_its_begin_and_not_from_an_earlier_failure(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502)
    with capture_logs() as logs:
        await fail(jobs, callback, 1)
        await learn(jobs, other)
        service.clock.advance(timedelta(minutes=5))
        await fail(jobs, callback)
        await learn(jobs, other)
        service.clock.advance(2 * SECOND)
        await attempt(other, callback)
        await learn(other, jobs)

    begin = service.clock.now() - 2 * SECOND
    (row,) = await rows(connection, "SELECT since, count, probes FROM api_problems")
    assert row == {"since": begin, "count": 6, "probes": 1}
    assert told(logs) == [("wechat.call_failed", False), ("wechat.call_failed", True)]


async def test_calls_that_wait_in_another_worker_say_that_no_answer_came(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502)
    await fail(jobs, callback)
    await learn(jobs, other)

    for worker in (jobs, other):
        with pytest.raises(Paused) as raised:
            await worker.tokens.problems.admit(ID, "message/custom/send")
        # As after any failure that may pass: nobody has to correct the account.
        assert (raised.value.action, raised.value.unanswered) == (Action.RETRY, True)


@pytest.mark.parametrize("errcode", [45015, -1, 48001])
async def test_a_refusal_is_an_answer_too(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    other: Jobs,
    connection: asyncpg.Connection,
    errcode: int,
) -> None:
    first = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502, count=5)
    wechat.strike(SEND, errcode=errcode)
    await fail(jobs, first)
    await learn(jobs, other)
    service.clock.advance(2 * SECOND)

    await attempt(other, first)
    await learn(other, jobs)

    stops = errcode == 48001
    for worker in (jobs, other):
        pause = worker.tokens.pause(ID, "message/custom/send")
        assert (pause is not None) == stops
        assert pause is None or pause.error.errcode == errcode
    assert await column(connection, "SELECT errcode FROM api_problems") == [errcode] * stops


async def test_a_call_that_was_on_its_way_ends_an_outage_when_it_is_answered(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502, count=5)
    began = service.clock.now() - SECOND
    await fail(jobs, callback)
    await learn(jobs)

    problems = jobs.tokens.problems
    problems.succeeded(ID, "message/custom/send", began)
    problems.succeeded(ID, "message/custom/send", began - SECOND)
    await learn(jobs)

    assert await rows(connection, "SELECT * FROM api_problems") == []
    assert await attempt(jobs, callback) is None


async def test_a_fault_of_the_configuration_outlasts_an_outage(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001, count=1)
    wechat.strike(SEND, status=502)
    await attempt(jobs, callback)
    await learn(jobs)
    for _ in range(6):
        service.clock.advance(timedelta(minutes=2))
        await attempt(jobs, callback)
        await learn(jobs)

    assert len(wechat.calls(SEND)) >= 5
    assert await column(connection, "SELECT errcode FROM api_problems") == [48001]


async def test_what_may_have_arrived_is_not_sent_again_when_the_outage_is_over(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, *[TEXT] * 2)
    for _ in range(2):
        await written(service, wechat, openid=OTHER_OPENID)
    callbacks = await column(connection, "SELECT DISTINCT callback_id FROM replies")
    wechat.strike(SEND, drop=Drop.AFTER)
    for _ in range(2):
        for callback in callbacks:
            await attempt(jobs, callback)
    during = await statuses(connection)
    wechat.state.faults.clear()
    service.clock.advance(2 * SECOND)

    for callback in callbacks:
        assert await attempt(jobs, callback) is None

    # The fifth that got no answer is one of them, and the others wait.
    assert during.count("failed") == 5
    assert during.count("pending") == len(during) - 5
    unsure = await column(connection, "SELECT errmsg FROM replies WHERE status = 'failed'")
    assert all(errmsg.startswith("outcome unknown") for errmsg in unsure)
    assert (await statuses(connection)).count("sent") == len(during) - 5
    assert len(wechat.sent(OPENID)) + len(wechat.sent(OTHER_OPENID)) == len(during)


async def test_without_an_answer_no_further_token_is_asked_for(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(STABLE_TOKEN, status=502)
    await fail(jobs, first)
    await learn(jobs, other)

    for worker in (jobs, other):
        assert worker.tokens.paused_accounts("message/custom/send") == [APPID]
        await fail(worker, second)
    assert len(wechat.calls(STABLE_TOKEN)) == 5
    assert sorted(fate["attempts"] for fate in await fates(connection)) == [0, 5]

    wechat.state.faults.clear()
    service.clock.advance(2 * SECOND)
    assert other.tokens.calls_at_hand("message/custom/send") == {APPID: 1}
    assert await attempt(other, second) is None
    await learn(other, jobs)
    assert other.tokens.calls_at_hand("message/custom/send") == {}
    assert await attempt(jobs, first) is None


async def test_while_one_call_decides_no_more_than_one_is_prepared(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502, count=5)
    before = jobs.tokens.calls_at_hand("message/custom/send").get(APPID)
    await fail(jobs, callback)
    service.clock.advance(2 * SECOND)
    during = jobs.tokens.calls_at_hand("message/custom/send")
    waiting = jobs.tokens.paused_accounts("message/custom/send")
    await attempt(jobs, callback)

    assert (during[APPID], waiting) == (1, [])
    assert jobs.tokens.calls_at_hand("message/custom/send").get(APPID) == before != 1


async def test_a_worker_that_starts_tries_at_once(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502, count=5)
    await fail(jobs, callback)
    await learn(jobs)

    await other.begin()

    assert await attempt(other, callback) is None


async def test_an_outage_is_shown_by_readiness_and_metrics(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502)
    await fail(jobs, callback)
    await learn(jobs)

    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    metrics = (await service.look("/metrics")).text

    assert part["status"] == "degraded"
    assert "WECHAT_API_BASE_URL" in part["detail"]
    assert "these calls wait" in part["detail"]
    (problem,) = part["problems"]
    assert datetime.fromisoformat(problem["paused_until"]) == service.clock.now() + 2 * SECOND
    line = next(one for one in metrics.splitlines() if one.startswith("oa_bridge_wechat_calls_pa"))
    assert 'errcode="transport"' in line


async def test_an_outage_that_lasts_stays_on_the_charts(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, status=502, count=5)
    since = service.clock.now()
    await fail(jobs, callback)
    await learn(jobs)
    service.clock.advance(timedelta(minutes=2))
    await attempt(jobs, callback)
    await learn(jobs)

    (ended,) = await rows(connection, "SELECT * FROM ended_pauses")
    assert (ended["since"], ended["errcode"]) == (since, None)
    assert ended["until"] == service.clock.now()
