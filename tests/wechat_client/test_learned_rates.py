"""45011 slows an API down to what WeChat took in a minute, in all processes, and this decays."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.db.engine import Database
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.call_rate import CallRate, lower
from app.wechat_client.learned_rate import KEPT, LearnedRate
from app.wechat_client.problems import Api
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token
from app.worker import Jobs
from tests.replies.makers import deliver, owed
from tests.service import (
    APPID,
    SEND,
    Service,
    WeChat,
    WorldClock,
    jobs_of,
    rows,
    text_reply,
)

API: Api = "message/custom/send"
ID = AppId(APPID)
MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = ApiError(45011, "api minute-quota reach limit", Action.RETRY)


async def call(tokens: AccessTokens, times: int = 1, *, refused: bool = False) -> None:
    """Make calls that WeChat takes, or refuses with 45011."""

    async def one(_: str) -> None:
        if refused:
            raise REFUSED

    for _ in range(times):
        with pytest.raises(ApiError) if refused else nullcontext():
            await with_token(tokens, ID, one, api=API, has_turn=True)


async def learned(*workers: Jobs) -> list[CallRate | None]:
    """Let all workers store what they met and read what the others stored."""
    for _ in range(2):
        for jobs in workers:
            await jobs.tokens.store()
    for jobs in workers:
        await jobs.tokens.problems.read_pauses()
    return [jobs.tokens.rates.learned.rate(ID, API) for jobs in workers]


async def after_pause(clock: WorldClock, *workers: Jobs) -> list[CallRate | None]:
    """Return what the workers know when the calls may go on."""
    await learned(*workers)
    clock.advance(MINUTE)
    return await learned(*workers)


async def the_row(connection: asyncpg.Connection) -> dict[str, Any]:
    (row,) = await rows(connection, "SELECT * FROM learned_rates")
    return row


@given(
    calls=st.integers(1, 100_000),
    refusals=st.integers(1, 1000),
    minutes=st.floats(0, 60),
    more=st.floats(0, 60),
)
def test_a_rate_starts_below_what_was_taken_and_only_grows_until_it_is_forgotten(
    calls: int, refusals: int, minutes: float, more: float
) -> None:
    learned = LearnedRate(NOW, refusals, calls)
    at_first = learned.rate(NOW + MINUTE)
    earlier = learned.rate(NOW + minutes * MINUTE)
    later = learned.rate(NOW + (minutes + more) * MINUTE)

    assert at_first == CallRate(max(1, int(calls * 0.95)), 60)
    if earlier is None:
        assert later is None
    elif later is not None:
        assert earlier.calls <= later.calls
    assert learned.rate(NOW + KEPT) is None


@pytest.mark.parametrize(("refusals", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 11)])
def test_each_refusal_lets_the_rate_hold_longer(refusals: int, minutes: int) -> None:
    learned = LearnedRate(NOW, refusals, 1000)

    assert learned.rate(NOW + minutes * MINUTE) == CallRate(950, 60)
    grown = learned.rate(NOW + (minutes + 2) * MINUTE)
    assert grown == CallRate(int(950 * 1.5**2), 60)
    assert learned.rate(NOW + (minutes + 10.1) * MINUTE) is None


def test_the_lower_rate_holds() -> None:
    one, two = CallRate(100, 60), CallRate(1, 1)

    assert lower(one, two) == lower(two, one) == two
    assert lower(None, one) == lower(one, None) == one
    assert lower(None, None) is None


async def test_what_all_workers_sent_in_the_minute_is_what_they_may_send_in_the_next_ones(
    service: Service, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 60)
    await call(other.tokens, 40)
    with capture_logs() as logs:
        await call(jobs.tokens, refused=True)
        await call(other.tokens, refused=True)

        assert await after_pause(service.clock, jobs, other) == [CallRate(95, 60)] * 2

    row = await the_row(connection)
    assert (row["appid"], row["api"], row["calls"], row["refusals"]) == (APPID, API, 100, 1)
    assert [line for line in logs if line["event"] == "wechat.rate_learned"] == [
        {
            "event": "wechat.rate_learned",
            "log_level": "warning",
            "appid": APPID,
            "api": API,
            "calls": 95,
            "seconds": 60,
            "refusals": 1,
        }
    ]


async def test_only_the_minute_before_counts(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 50)
    service.clock.advance(MINUTE)
    await call(jobs.tokens, 7)
    service.clock.advance(MINUTE / 2)
    await call(jobs.tokens, 4)
    await call(jobs.tokens, refused=True)

    await after_pause(service.clock, jobs)

    assert (await the_row(connection))["calls"] == 11


async def test_calls_that_were_under_way_teach_nothing_more(
    service: Service, jobs: Jobs, other: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 20)
    began = service.clock.now()
    service.clock.advance(timedelta(seconds=1))
    await call(jobs.tokens, refused=True)
    await after_pause(service.clock, jobs, other)

    other.tokens.rates.learned.refused(ID, API, began)
    await learned(other, jobs)

    row = await the_row(connection)
    assert (row["calls"], row["refusals"], row["counted"]) == (20, 1, True)


async def test_a_refused_try_after_the_pause_keeps_the_rate(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 20)
    await call(jobs.tokens, refused=True)
    await after_pause(service.clock, jobs)

    await call(jobs.tokens, refused=True)
    rates = await after_pause(service.clock, jobs)

    row = await the_row(connection)
    assert (row["calls"], row["refusals"]) == (20, 2)
    assert rates == [CallRate(19, 60)]


async def test_one_more_refusal_halves_a_rate_at_most(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 20)
    await call(jobs.tokens, refused=True)
    await after_pause(service.clock, jobs)
    await call(jobs.tokens, 3)
    service.clock.advance(timedelta(seconds=10))

    await call(jobs.tokens, refused=True)
    await after_pause(service.clock, jobs)

    assert (await the_row(connection))["calls"] == 10


async def test_a_refusal_of_the_first_call_teaches_no_rate(service: Service, jobs: Jobs) -> None:
    await call(jobs.tokens, refused=True)

    assert await after_pause(service.clock, jobs) == [None]


async def test_a_worker_that_is_killed_leaves_what_it_stored_to_the_others(
    service: Service, jobs: Jobs, other: Jobs, database: Database, wechat: WeChat
) -> None:
    await call(jobs.tokens, 20)
    await jobs.tokens.store()
    await call(other.tokens, refused=True)
    await other.tokens.store()
    service.clock.advance(MINUTE)

    started_later = jobs_of(jobs.settings, database, wechat)

    assert await learned(started_later) == [CallRate(19, 60)]


async def test_two_refusals_after_a_long_rest_are_no_repetition(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        await call(jobs.tokens, 20)
        await call(jobs.tokens, refused=True)
        await after_pause(service.clock, jobs)
        service.clock.advance(KEPT)

    assert (await the_row(connection))["refusals"] == 1


async def test_the_calls_of_an_account_whose_rate_is_learned_are_spread(
    service: Service, jobs: Jobs, other: Jobs
) -> None:
    """Both workers together have the two calls at once of 20 a minute, and then wait."""
    await call(jobs.tokens, 22)
    await call(jobs.tokens, refused=True)
    assert await after_pause(service.clock, jobs, other) == [CallRate(20, 60)] * 2

    made = 0
    for worker in (jobs, other, jobs, other):
        try:
            await worker.tokens.rates.admit(ID, API)
        except ApiError:
            continue
        made += 1

    assert made == 2
    await jobs.tokens.rates.admit(AppId("wx00000000000000bb"), API)
    await jobs.tokens.rates.admit(ID, "media/upload")


async def test_without_the_database_a_refusal_is_stored_later(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 20)
    await call(jobs.tokens, refused=True)
    await connection.execute("ALTER TABLE learned_rates RENAME TO away")
    with capture_logs() as logs:
        await jobs.tokens.rates.learned.learn()
        await jobs.tokens.rates.learned.learn()
    await connection.execute("ALTER TABLE away RENAME TO learned_rates")

    assert await after_pause(service.clock, jobs) == [CallRate(19, 60)]
    assert [line["event"] for line in logs] == ["wechat.refusals_not_stored"] * 2


async def test_readiness_and_metrics_show_the_rate_until_it_is_forgotten(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await call(jobs.tokens, 20)
    await call(jobs.tokens, refused=True)
    refused_at = service.clock.now()
    await after_pause(service.clock, jobs)
    await call(jobs.tokens)
    await learned(jobs)

    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    metrics = (await service.look("/metrics")).text
    service.clock.advance(KEPT)
    with capture_logs() as logs:
        await jobs.sweep()
    later = (await service.look("/readyz")).json()["parts"]["wechat"]

    assert part["status"] == "degraded"
    assert "45011, so 19 calls are made in 60 s at most" in part["detail"]
    (slowed,) = part["slowed"]
    assert (slowed["appid"], slowed["api"], slowed["calls"], slowed["seconds"]) == (
        *(APPID, API),
        *(19, 60),
    )
    assert datetime.fromisoformat(slowed["refused_at"]) == refused_at
    assert f'oa_bridge_api_rate_learned{{api="{API}",appid="{APPID}"}} 19.0' in metrics
    assert (later["status"], later["slowed"]) == ("ok", [])
    assert [line for line in logs if line["event"] == "wechat.rate_forgotten"] == [
        {"event": "wechat.rate_forgotten", "log_level": "info", "appid": APPID, "api": API}
    ]
    assert await rows(connection, "SELECT * FROM learned_rates") == []
    assert await rows(connection, "SELECT * FROM api_call_spans") == []


async def test_a_send_that_wechat_refuses_teaches_the_rate_of_sends(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, text_reply("hello", via="customer_service"))
    await call(jobs.tokens, 10)
    wechat.strike(SEND, errcode=45011, count=1)
    with pytest.raises(Exception, match="45011"):
        await deliver(jobs, callback)

    await after_pause(service.clock, jobs)

    assert (await the_row(connection))["calls"] == 10
    await deliver(jobs, callback)
