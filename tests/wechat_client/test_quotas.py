"""One count of what is used of a quota, in readiness, metrics, doctor and API; and its clearing."""

import asyncio
import inspect
import re
from datetime import timedelta
from typing import get_args

import asyncpg
import pytest

from app.clock import SHANGHAI
from app.replies.errors import TryLater
from app.wechat import api as wechat_api
from app.wechat.datacube import FigureCall
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client import quota_store
from app.wechat_client.clear_quota import CLEARINGS_A_MONTH, NoClearingLeft, QuotaClearer
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.problems import Api
from app.wechat_client.quota_store import QuotaUse, api_of
from app.worker import Jobs
from tests.doctor.findings import examine
from tests.lock_waits import backend_waits
from tests.replies.makers import deliver, owed, statuses
from tests.service import ACCOUNT, APPID, SEND, Service, WeChat, rows, text_reply
from tests.waiting import eventually

CLEAR = "/cgi-bin/clear_quota"
TEXT = text_reply("hello", via="customer_service")
OF = AppId(APPID)


def clearer(jobs: Jobs) -> QuotaClearer:
    return QuotaClearer(jobs.database, jobs.renewer.api, jobs.tokens, jobs.clock)


def allowing(wechat: WeChat, sends: int) -> None:
    """Let WeChat allow so many messages a day."""
    limits = {"daily_limits": {SEND: sends}}
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update=limits)


async def called(jobs: Jobs, sends: int) -> None:
    for _ in range(sends):
        jobs.tokens.counts.add(APPID, "message/custom/send")
    await jobs.tokens.store()


async def warned(service: Service) -> tuple[bool, float, str]:
    """Return whether readiness warns, the metric, and the doctor's state."""
    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    start = 'oa_bridge_api_quota_used_ratio{api="message/custom/send",'
    metrics = (await service.look("/metrics")).text.splitlines()
    (line,) = [line for line in metrics if line.startswith(start)]
    state = (await examine(service))["api-quota"]["state"]
    return bool(part["quotas"]), float(line.split()[-1]), state


async def test_eighty_percent_are_warned_of_everywhere_by_one_count(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    allowing(wechat, 10)
    await jobs.examine()
    await called(jobs, 7)
    before = await warned(service)

    await called(jobs, 1)
    part = (await service.look("/readyz")).json()["parts"]["wechat"]

    assert before == (False, 0.7, "ok")
    assert await warned(service) == (True, 0.8, "look")
    assert part["status"] == "degraded"
    assert "message/custom/send: 8 of 10 calls of today are used" in part["detail"]
    service.clock.advance(timedelta(days=1))
    assert await warned(service) == (False, 0.0, "ok")


async def test_calls_of_other_programs_count_until_the_day_is_over(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    used = {"quota_used": {SEND: 450_000}}
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update=used)
    await jobs.examine()

    assert await warned(service) == (True, 0.9, "look")
    service.clock.advance(timedelta(days=1))
    assert await warned(service) == (False, 0.0, "ok")


async def test_what_wechat_counted_before_a_clearing_counts_no_more(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    used = {"quota_used": {SEND: 450_000}}
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update=used)
    await jobs.examine()
    before = await warned(service)
    service.clock.advance(timedelta(seconds=1))

    await clearer(jobs).clear(OF, "root@host")

    assert (before, await warned(service)) == ((True, 0.9, "look"), (False, 0.0, "ok"))


async def test_a_cleared_quota_lets_what_waits_go_out_and_counts_anew(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    allowing(wechat, 1)
    await jobs.examine()
    await deliver(jobs, await owed(service, wechat, TEXT))
    wechat.state.clock.advance(timedelta(seconds=1))
    waiting = await owed(service, wechat, TEXT)
    with pytest.raises(TryLater):
        await deliver(jobs, waiting)
    await jobs.tokens.store()
    used_up = await warned(service)

    await clearer(jobs).clear(OF, "root@host")
    await jobs.tokens.problems.read_pauses()
    after = await warned(service)
    await deliver(jobs, waiting)

    assert (used_up, after) == ((True, 2.0, "fault"), (False, 0.0, "ok"))
    assert await statuses(connection) == ["sent", "sent"]
    (row,) = await rows(connection, "SELECT appid, cleared_by FROM quota_clearings")
    assert row == {"appid": APPID, "cleared_by": "root@host"}


async def test_ten_clearings_of_a_month_are_remembered_and_the_eleventh_is_not_made(
    wechat: WeChat, jobs: Jobs
) -> None:
    outcomes = await asyncio.gather(
        *(clearer(jobs).clear(OF, "a") for _ in range(CLEARINGS_A_MONTH + 2)),
        return_exceptions=True,
    )

    assert [type(one) for one in outcomes if one is not None] == [NoClearingLeft] * 2
    assert len(wechat.calls(CLEAR)) == CLEARINGS_A_MONTH
    wechat.state.clock.advance(timedelta(days=31))
    assert await clearer(jobs).of_month(OF) == []
    await clearer(jobs).clear(OF, "a")
    assert len(await clearer(jobs).of_month(OF)) == 1


async def test_of_two_commands_at_once_for_the_last_clearing_one_makes_it(
    wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for _ in range(CLEARINGS_A_MONTH - 1):
        await clearer(jobs).clear(OF, "a")
    async with connection.transaction():
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('oa_bridge.quota.' || $1, 0))", APPID
        )
        other = asyncio.create_task(clearer(jobs).clear(OF, "b"))
        await eventually(backend_waits(connection, "%advisory%"), "the other command to wait")
        await connection.execute(
            "INSERT INTO quota_clearings VALUES (gen_random_uuid(), $1, $2, 'c')",
            APPID,
            jobs.clock.now(),
        )

    with pytest.raises(NoClearingLeft):
        await other
    assert len(wechat.calls(CLEAR)) == CLEARINGS_A_MONTH - 1


async def test_the_clearings_of_another_account_use_up_none_of_this_one(jobs: Jobs) -> None:
    async with jobs.database.sessions.begin() as session:
        for _ in range(CLEARINGS_A_MONTH):
            await quota_store.add_clearing(session, "wxother", "a", jobs.clock.now())

    await clearer(jobs).clear(OF, "b")

    assert [one.by for one in await clearer(jobs).of_month(OF)] == ["b"]


async def test_a_month_begins_in_shanghai(wechat: WeChat, jobs: Jobs) -> None:
    clock = wechat.state.clock
    next_month = (clock.now().astimezone(SHANGHAI).replace(day=1) + timedelta(days=40)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    clock.advance(next_month - timedelta(seconds=1) - clock.now())
    await clearer(jobs).clear(OF, "a")
    before = len(await clearer(jobs).of_month(OF))

    clock.advance(timedelta(seconds=1))

    assert (before, await clearer(jobs).of_month(OF)) == (1, [])


@pytest.mark.parametrize(
    ("fault", "error", "counts"),
    [
        ({"errcode": 48006}, ApiError, 0),
        ({"status": 502}, TransportError, 0),
        ({"drop": "before"}, TransportError, 1),
        ({"drop": "after"}, TransportError, 1),
        ({"body": "<html>"}, TransportError, 1),
    ],
)
async def test_a_clearing_counts_unless_it_is_known_that_it_was_not_made(
    wechat: WeChat, jobs: Jobs, fault: dict[str, object], error: type[Exception], counts: int
) -> None:
    wechat.strike(CLEAR, **fault)

    with pytest.raises(error):
        await clearer(jobs).clear(OF, "a")

    assert len(await clearer(jobs).of_month(OF)) == counts


async def test_without_an_access_token_no_clearing_is_used(wechat: WeChat, jobs: Jobs) -> None:
    wechat.strike("/cgi-bin/stable_token", errcode=40125)

    with pytest.raises((NoToken, Paused)):
        await clearer(jobs).clear(OF, "a")

    assert await clearer(jobs).of_month(OF) == []
    assert wechat.calls(CLEAR) == []


async def test_other_accounts_wait_on(jobs: Jobs, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO api_problems (appid, api, errcode, errmsg, since, seen_at, probe_at) VALUES"
        " ('wxother', 'user/get', 45009, '', now(), now(), now()),"
        " ($1, 'user/get', 45009, '', now(), now(), now()),"
        " ($1, 'user/info', 48001, '', now(), now(), now())",
        APPID,
    )

    await clearer(jobs).clear(OF, "a")

    left = await rows(connection, "SELECT appid, api FROM api_problems ORDER BY appid DESC")
    assert left == [
        {"appid": "wxother", "api": "user/get"},
        {"appid": APPID, "api": "user/info"},
    ]


def test_each_api_is_named_by_the_path_that_is_called() -> None:
    called = {f"/datacube/{call.value}" for call in FigureCall}
    called |= set(re.findall(r'"(/[a-z-]+/[\w/]+)"', inspect.getsource(wechat_api)))

    paths = {QuotaUse(APPID, api, calls=0, used=0).path for api in get_args(Api)}

    assert paths <= called
    assert {api_of(path) for path in paths} == set(get_args(Api))
