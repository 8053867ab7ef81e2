"""Calls are counted by account, API and day in Shanghai, and shown beside what WeChat counts."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.replies.errors import TryLater
from app.wechat.ids import AppId
from app.wechat_client.call_counts import day_of
from app.wechat_client.pauses import next_midnight
from app.worker import Jobs
from tests.replies.makers import deliver, owed
from tests.service import (
    APPID,
    SEND,
    Service,
    WeChat,
    WorldClock,
    counted,
    jobs_of,
    rows,
    text_reply,
)

API = "message/custom/send"
TEXT = text_reply("hello", via="customer_service")


async def counts(connection: asyncpg.Connection) -> dict[tuple[str, str], int]:
    """Return the stored counts by day and API."""
    found = await rows(connection, "SELECT * FROM api_calls")
    assert {row["appid"] for row in found} == {APPID}
    return {(str(row["day"]), row["api"]): row["calls"] for row in found}


async def test_every_call_is_counted_also_one_that_is_refused(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    await jobs.tokens.get(AppId(APPID))
    wechat.state.tokens[APPID].take_stable(service.clock.now(), timedelta(hours=2), force=True)
    wechat.strike(SEND, errcode=42001, count=1)
    before = counted("api_calls_total", appid=APPID, api=API)

    await deliver(jobs, callback)
    await jobs.tokens.store()
    await jobs.tokens.store()

    day = str(day_of(service.clock.now()))
    assert await counts(connection) == {(day, "stable_token"): 2, (day, API): 2}
    assert counted("api_calls_total", appid=APPID, api=API) == before + 2


async def test_workers_that_store_at_once_add_up(
    jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    workers = [jobs, *(jobs_of(jobs.settings, jobs.database, wechat) for _ in range(3))]
    for _ in range(3):
        for worker in workers:
            for api in (API, "media/upload"):
                worker.tokens.counts.add(APPID, api)
        await asyncio.gather(*(worker.tokens.counts.store() for worker in workers))

    assert list((await counts(connection)).values()) == [12, 12]


async def test_a_day_ends_at_midnight_in_shanghai(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    midnight = next_midnight(clock.now())
    clock.advance(midnight - clock.now() - timedelta(seconds=1))
    jobs.tokens.counts.add(APPID, API)
    clock.advance(timedelta(seconds=1))
    jobs.tokens.counts.add(APPID, API)
    await jobs.tokens.counts.store()

    assert await counts(connection) == {
        (str(midnight.date() - timedelta(days=1)), API): 1,
        (str(midnight.date()), API): 1,
    }


async def test_what_the_database_does_not_take_is_counted_later(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    jobs.tokens.counts.add(APPID, API)
    await connection.execute("ALTER TABLE api_calls RENAME TO away")
    await jobs.tokens.counts.store()
    jobs.tokens.counts.add(APPID, API)
    await connection.execute("ALTER TABLE away RENAME TO api_calls")

    await jobs.tokens.counts.store()

    assert list((await counts(connection)).values()) == [2]


async def test_the_sweep_forgets_days_that_are_long_over(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    jobs.tokens.counts.add(APPID, API)
    clock.advance(timedelta(days=31))
    jobs.tokens.counts.add(APPID, API)
    await jobs.tokens.counts.store()
    await jobs.sweep()
    kept = len(await counts(connection))
    clock.advance(timedelta(days=1))

    await jobs.sweep()

    assert (kept, len(await counts(connection))) == (2, 1)


async def quotas(service: Service) -> dict[str, Any]:
    """Return what `/api/quota` has, by API."""
    page = await service.read("quota")
    assert page["day"] == str(day_of(service.clock.now()))
    return {item["api"]: item for item in page["items"]}


async def test_the_api_shows_our_count_beside_that_of_wechat(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    assert await quotas(service) == {}
    await jobs.examine()
    await deliver(jobs, await owed(service, wechat, TEXT))
    await jobs.tokens.store()

    found = await quotas(service)
    send = found[API]
    assert (send["appid"], send["calls"], send["daily_limit"], send["used"]) == (
        APPID,
        1,
        500_000,
        0,
    )
    assert send["asked_at"] is not None
    assert found["openapi/quota/get"]["calls"] == 1
    assert found["stable_token"]["daily_limit"] is None

    service.clock.advance(timedelta(days=1))
    await jobs.tokens.store()
    (tomorrow,) = (await quotas(service)).values()
    assert (tomorrow["calls"], tomorrow["daily_limit"], tomorrow["used"]) == (0, 500_000, None)


async def test_the_api_shows_until_when_calls_wait(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=45009)
    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    await jobs.tokens.store()

    paused_until = (await quotas(service))[API]["paused_until"]

    assert datetime.fromisoformat(paused_until) == next_midnight(service.clock.now())
