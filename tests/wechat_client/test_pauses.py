"""What stops calls stops them in all processes, is tried now and then, and ends by itself."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.wechat.errcodes import Action, action_for
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.pauses import MAX_PAUSE, pause_after, stops_calls
from app.worker import Jobs
from tests.replies.makers import owed, statuses, written
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    STABLE_TOKEN,
    Service,
    WeChat,
    card,
    column,
    rows,
    text_reply,
)
from tests.wechat_client.paused_calls import attempt, learn

TEXT = text_reply("hello", via="customer_service")
ID = AppId(APPID)
MINUTE = timedelta(minutes=1)
UNLINKED = "wx00000000000000ee"


async def the_row(connection: asyncpg.Connection) -> dict[str, Any]:
    """Return the one problem that is stored."""
    (row,) = await rows(connection, "SELECT * FROM api_problems")
    return row


@given(
    errcode=st.sampled_from([40164, 48001, 40166, 45009, 45011]),
    probes=st.integers(0, 5000),
    now=st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_pause_is_bounded_and_never_empty(errcode: int, probes: int, now: datetime) -> None:
    error = ApiError(errcode, "", Action.CONFIGURATION)
    pause = pause_after(error, probes, now)

    assert timedelta() < pause <= timedelta(days=1)
    if errcode == 45011:
        assert pause == MINUTE, "the next minute is a new one"
    elif errcode != 45009:
        assert MINUTE <= pause <= MAX_PAUSE
        assert pause <= pause_after(error, probes + 1, now)


@pytest.mark.parametrize("errcode", [40036, 40037, 43116, 45064, 48006, 48008, 85400])
def test_what_concerns_one_template_menu_or_clearing_stops_no_other_call(errcode: int) -> None:
    assert action_for(errcode) is Action.CONFIGURATION
    assert not stops_calls(ApiError(errcode, "", action_for(errcode)))


@pytest.mark.parametrize("errcode", [40013, 40125, 40164, 40243, 48001, 50002, 61004])
async def test_a_fault_of_the_configuration_stops_the_calls_of_every_worker(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    other: Jobs,
    connection: asyncpg.Connection,
    errcode: int,
) -> None:
    callback = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(SEND, errcode=errcode)

    with capture_logs() as logs:
        delay = await attempt(jobs, callback)
        await learn(jobs, other)
        for _ in range(3):
            await attempt(jobs, callback)
            await attempt(other, second)
        await learn(jobs, other)

    assert delay is not None
    assert MINUTE <= delay <= MINUTE * 1.1
    assert len(wechat.calls(SEND)) == 1
    assert await statuses(connection) == ["pending", "pending"]
    row = await the_row(connection)
    assert (row["appid"], row["api"], row["errcode"]) == (APPID, "message/custom/send", errcode)
    assert (row["count"], row["probe_at"]) == (1, service.clock.now() + MINUTE)
    assert row["rid"]
    assert [line["event"] for line in logs if line["event"].startswith("wechat.")] == [
        "wechat.call_refused"
    ]
    never_tried = await rows(connection, "SELECT * FROM replies WHERE callback_id = $1", second)
    assert [(one["errcode"], one["attempts"]) for one in never_tried] == [(errcode, 0)]


async def test_when_a_pause_is_over_one_call_of_all_workers_tries_and_a_success_ends_it(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, TEXT)
    for _ in range(3):
        await written(service, wechat, openid=OTHER_OPENID)
    callbacks = await column(connection, "SELECT callback_id FROM replies")
    wechat.strike(SEND, errcode=48001, count=2)
    with capture_logs() as logs:
        await attempt(jobs, callbacks[0])
        await learn(jobs, other)
        service.clock.advance(MINUTE)
        await asyncio.gather(
            *(attempt(worker, one) for worker in (jobs, other) for one in callbacks)
        )
        tried = len(wechat.calls(SEND))
        await learn(jobs, other)
        during = await the_row(connection)
        service.clock.advance(MINUTE)
        for callback in callbacks:
            await attempt(other, callback)
            await learn(other, jobs)

    assert tried == 2
    assert (during["count"], during["probes"], during["since"]) == (
        2,
        1,
        service.clock.now() - 2 * MINUTE,
    )
    assert await statuses(connection) == ["sent"] * 4
    assert await rows(connection, "SELECT * FROM api_problems") == []
    assert jobs.tokens.pause(ID, "message/custom/send") is None
    (ended,) = [line for line in logs if line["event"] == "wechat.calls_resumed"]
    assert (ended["appid"], ended["errcode"], ended["refused"]) == (APPID, 48001, 2)


async def test_too_many_calls_in_a_minute_let_the_next_ones_wait_for_the_next_minute(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(SEND, errcode=45011, count=1)
    delay = await attempt(jobs, first)
    await learn(jobs, other)
    await attempt(other, second)
    made = len(wechat.calls(SEND))
    service.clock.advance(MINUTE)

    assert [await attempt(other, second), await attempt(other, first)] == [None, None]

    assert delay is not None
    assert MINUTE <= delay <= MINUTE * 1.1
    assert made == 1
    assert await statuses(connection) == ["sent", "sent"]


async def test_while_one_call_tries_the_others_look_again_soon(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    wechat.strike(SEND, errcode=48001, count=1)
    await attempt(jobs, first)
    await learn(jobs, other)
    service.clock.advance(MINUTE)
    await jobs.tokens.problems.admit(ID, "message/custom/send")

    soon = [await attempt(worker, second) for worker in (jobs, other)]
    service.clock.advance(timedelta(seconds=11))
    later = await attempt(jobs, second)

    assert all(delay is not None and delay <= timedelta(seconds=3) for delay in soon)
    assert later is not None
    assert later > timedelta(seconds=40)


async def test_calls_are_tried_each_minute_and_then_less_often(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=50002)
    made: list[int] = []
    for minute in range(61):
        await attempt(jobs, callback)
        await learn(jobs)
        if len(wechat.calls(SEND)) > len(made):
            made.append(minute)
        service.clock.advance(MINUTE)

    assert made == [0, 1, 2, 3, 4, 5, 7, 11, 19, 34, 49]


async def test_a_mini_program_that_is_not_linked_stops_its_own_cards_only(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    bad = await owed(service, wechat, card(appid=UNLINKED))
    again = await written(service, wechat, openid=OTHER_OPENID)
    await attempt(jobs, bad)
    await learn(jobs, other)
    await attempt(other, again)
    good = await owed(service, wechat, card(), TEXT)

    assert await attempt(other, good) is None

    assert sorted(await statuses(connection)) == ["pending", "pending", "sent", "sent"]
    assert len(wechat.calls(SEND)) == 3
    row = await the_row(connection)
    assert (row["api"], row["errcode"]) == (f"message/custom/send {UNLINKED}", 40166)
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"linked_mini_programs": (UNLINKED,)})
    service.clock.advance(MINUTE)
    assert [await attempt(other, bad), await attempt(other, again)] == [None, None]


async def test_a_try_without_an_answer_ends_no_pause(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001, count=1)
    wechat.strike(SEND, status=502)
    await attempt(jobs, callback)
    await learn(jobs)
    service.clock.advance(MINUTE)

    await attempt(jobs, callback)
    await learn(jobs)
    await attempt(jobs, callback)

    assert len(wechat.calls(SEND)) == 2
    assert (await the_row(connection))["errcode"] == 48001


async def test_a_call_of_another_worker_without_an_answer_ends_no_pause(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    await learn(other)
    wechat.strike(SEND, errcode=48001, count=1)
    wechat.strike(SEND, status=502)
    await attempt(jobs, first)
    await learn(jobs)

    await attempt(other, second)
    await learn(other)

    assert len(wechat.calls(SEND)) == 2
    assert (await the_row(connection))["errcode"] == 48001
    assert other.tokens.pause(ID, "message/custom/send") is not None


async def test_a_refusal_that_is_stored_late_lets_no_further_call_through(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    await learn(other)
    wechat.strike(SEND, errcode=48001)
    await attempt(jobs, first)
    await learn(jobs)
    service.clock.advance(timedelta(seconds=1))
    await attempt(other, second)
    service.clock.advance(MINUTE)
    await jobs.tokens.problems.admit(ID, "message/custom/send")

    await other.tokens.problems.store()

    row = await the_row(connection)
    assert (row["count"], row["probes"]) == (2, 1)
    assert row["probe_at"] == service.clock.now() + MINUTE


async def test_a_worker_that_dies_while_it_tries_leaves_the_next_try_to_others(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001, count=1)
    await attempt(jobs, callback)
    await learn(jobs, other)
    service.clock.advance(MINUTE)
    await jobs.tokens.problems.admit(ID, "message/custom/send")

    blocked = await attempt(other, callback)
    service.clock.advance(MINUTE)
    await attempt(other, callback)

    assert blocked is not None
    assert await statuses(connection) == ["sent"]


@pytest.mark.parametrize("by", ["the same worker", "another one"])
async def test_a_success_that_began_before_the_refusal_ends_no_pause(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    other: Jobs,
    connection: asyncpg.Connection,
    by: str,
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001)
    began = service.clock.now() - MINUTE
    await learn(other)
    await attempt(jobs, callback)
    await learn(jobs)

    worker = jobs if by == "the same worker" else other
    worker.tokens.problems.succeeded(ID, "message/custom/send", began)
    await learn(worker)

    assert (await the_row(connection))["errcode"] == 48001
    assert jobs.tokens.pause(ID, "message/custom/send") is not None


async def test_a_quota_of_the_day_stops_one_api_until_midnight_and_no_other(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=45009, count=2)
    await attempt(jobs, callback)
    await learn(jobs, other)
    pause = other.tokens.pause(ID, "message/custom/send")
    assert pause is not None
    midnight = pause.until
    service.clock.advance(midnight - service.clock.now() - timedelta(seconds=1))
    await attempt(other, callback)
    before = len(wechat.calls(SEND))
    assert other.tokens.pause(ID, "media/upload") is None

    service.clock.advance(timedelta(seconds=1))
    await attempt(other, callback)
    await learn(other)
    pause = other.tokens.pause(ID, "message/custom/send")

    assert (before, len(wechat.calls(SEND))) == (1, 2)
    assert (midnight + timedelta(hours=8)).hour == 0
    assert pause is not None
    assert pause.until == midnight + timedelta(hours=1), "the hour of the reset is not verified"


async def test_a_worker_that_starts_tries_at_once_since_the_settings_may_be_corrected(
    service: Service, wechat: WeChat, jobs: Jobs, other: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(STABLE_TOKEN, errcode=40164, count=1)
    await attempt(jobs, callback)
    await learn(jobs)

    await other.begin()

    assert await attempt(other, callback) is None
    assert len(wechat.sent(OPENID)) == 1


async def test_readiness_and_metrics_show_which_calls_wait(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001)
    await attempt(jobs, callback)
    await learn(jobs)

    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    metrics = (await service.look("/metrics")).text

    assert part["status"] == "degraded"
    assert "These calls wait." in part["detail"]
    (problem,) = part["problems"]
    assert problem["count"] == 1
    until = datetime.fromisoformat(problem["paused_until"])
    assert until == service.clock.now() + MINUTE
    line = next(one for one in metrics.splitlines() if one.startswith("oa_bridge_wechat_calls_pa"))
    assert 'api="message/custom/send"' in line
    assert 'errcode="48001"' in line
