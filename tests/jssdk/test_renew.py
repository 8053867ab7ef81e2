"""The worker keeps a ticket of each account that has JS-safe domains."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.db.engine import Database
from app.settings import Settings
from app.worker import Jobs
from simulator.faults import Fault
from tests.service import APPID, WeChat, WorldClock, jobs_of, without_appsecret


def tickets_of(wechat: WeChat) -> list[str]:
    return wechat.state.tickets.get(APPID, [])


async def test_a_ticket_is_fetched_once_and_again_at_nine_tenths_of_its_life(
    jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await jobs.renew_tickets()
    await jobs.renew_tickets()
    clock.advance(timedelta(seconds=7200 * 0.9 - 1))
    await jobs.renew_tickets()
    assert len(tickets_of(wechat)) == 1

    clock.advance(timedelta(seconds=2))
    await jobs.renew_tickets()
    assert len(tickets_of(wechat)) == 2


async def test_of_many_workers_one_asks(
    settings: Settings, database: Database, wechat: WeChat
) -> None:
    workers = [jobs_of(settings, database, wechat) for _ in range(8)]
    await asyncio.gather(*(worker.renew_tickets() for worker in workers))
    assert len(tickets_of(wechat)) == 1


async def test_the_ticket_is_stored_encrypted(
    settings: Settings, database: Database, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    sealed = settings.model_copy(update={"secret_key": SecretStr("k" * 32)})
    await jobs_of(sealed, database, wechat).renew_tickets()
    stored = await connection.fetchval("SELECT ticket FROM jsapi_tickets WHERE appid = $1", APPID)
    assert tickets_of(wechat)[0] not in stored


async def test_a_refusal_is_logged_and_the_ticket_before_stays(
    jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await jobs.renew_tickets()
    clock.advance(timedelta(seconds=7000))
    before = await connection.fetchval("SELECT ticket FROM jsapi_tickets")
    wechat.state.faults.add(Fault(path="/cgi-bin/ticket/getticket", errcode=-1))

    with capture_logs() as logs:
        await jobs.renew_tickets()

    assert await connection.fetchval("SELECT ticket FROM jsapi_tickets") == before
    assert [entry["event"] for entry in logs if entry["event"].startswith("jssdk")] == [
        "jssdk.ticket_not_renewed"
    ]


@pytest.mark.parametrize("change", ["domains", "secret"])
async def test_an_account_that_signs_no_pages_asks_for_no_ticket(
    settings: Settings, database: Database, wechat: WeChat, change: str
) -> None:
    changed = without_appsecret(settings)
    if change == "domains":
        changed = settings.model_copy(update={"wechat_js_safe_domains": ""})
    await jobs_of(changed, database, wechat).renew_tickets()
    assert not tickets_of(wechat)
