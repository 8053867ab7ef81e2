"""The worker asks WeChat for each day once it is over and ready, and stores what it says."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from app.datacube import days as days_of_figures
from app.datacube.days import backfilled, day_of
from app.db.engine import Database
from app.settings import Settings
from app.worker import Jobs
from tests.datacube.makers import (
    CUMULATE,
    DISTRIBUTION,
    INTERFACE,
    MESSAGES,
    MINI_PROGRAM,
    OA_CALLS,
    SUMMARY,
    TREND,
    morning_after,
    says,
)
from tests.service import APPID, Json, WeChat, WorldClock, jobs_of, without_appsecret

SPANS = {SUMMARY: 7, CUMULATE: 7, MESSAGES: 7, INTERFACE: 30, TREND: 1, DISTRIBUTION: 1}
FEW_DAYS = 9


@pytest.fixture(autouse=True)
def few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask about fewer days than the service does."""
    monkeypatch.setattr(days_of_figures, "BACKFILL_DAYS", FEW_DAYS)


def asked(wechat: WeChat, path: str) -> list[tuple[str, str]]:
    """The first and last day of each call."""
    bodies = [json_of(call) for call in wechat.calls(path)]
    return [(body["begin_date"], body["end_date"]) for body in bodies]


def json_of(call: Json) -> Json:
    found: Json = httpx.Response(200, content=call["body"]).json()
    return found


async def rows_of(connection: asyncpg.Connection, path: str) -> list[asyncpg.Record]:
    found: list[asyncpg.Record] = await connection.fetch(
        "SELECT * FROM wechat_figures WHERE call = $1 ORDER BY day", path.removeprefix("/datacube/")
    )
    return found


async def test_the_days_that_wechat_still_gives_are_read_in_spans_that_it_allows(
    jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    morning_after(clock)
    await jobs.read_figures()

    days = backfilled(clock.now())
    for path, span in SPANS.items():
        calls = asked(wechat, path)
        assert len(calls) == -(-FEW_DAYS // span), path
        assert all(call["errcode"] == 0 for call in wechat.calls(path))
        written = "%Y%m%d" if path in {TREND, DISTRIBUTION} else "%Y-%m-%d"
        assert calls[0][0] == days[0].strftime(written)
        assert calls[-1][1] == days[-1].strftime(written)
        assert [row["day"] for row in await rows_of(connection, path)] == days
    unread = await connection.fetchval("SELECT count(*) FROM wechat_figures WHERE rows IS NULL")
    assert unread == 0


async def test_the_next_day_is_asked_about_alone_and_not_before_eight(
    jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    morning_after(clock)
    for path in SPANS:
        for day in backfilled(clock.now()):
            says(wechat, path, day, one_row(path), MINI_PROGRAM.appid)
            says(wechat, path, day, one_row(path))
    await jobs.read_figures()
    wechat.state.ledger.clear()

    yesterday = morning_after(clock, hour=7)
    await jobs.read_figures()
    assert not any(wechat.calls(path) for path in SPANS)

    clock.advance(timedelta(hours=1))
    await jobs.read_figures()
    await jobs.read_figures()
    for path in OA_CALLS:
        assert asked(wechat, path) == [(yesterday.isoformat(), yesterday.isoformat())]


def one_row(path: str) -> list[dict[str, int]]:
    members = {
        SUMMARY: ("user_source", "new_user", "cancel_user"),
        CUMULATE: ("cumulate_user",),
        MESSAGES: ("msg_type", "msg_user", "msg_count"),
        INTERFACE: ("callback_count", "fail_count", "total_time_cost", "max_time_cost"),
        TREND: ("session_cnt", "visit_pv", "visit_uv", "visit_uv_new"),
        DISTRIBUTION: ("key", "value"),
    }
    return [dict.fromkeys(members[path], 1)]


async def test_a_day_that_is_not_ready_is_asked_again_and_costs_no_other_day(
    jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    morning_after(clock)
    late = backfilled(clock.now())[-2]
    wechat.state.datacube.hold_back(APPID, late)
    await jobs.read_figures()

    unread = [row["day"] for row in await rows_of(connection, SUMMARY) if row["rows"] is None]
    assert unread == [late]
    (row,) = [row for row in await rows_of(connection, SUMMARY) if row["day"] == late]
    assert row["errcode"] == 61503

    wechat.state.ledger.clear()
    clock.advance(timedelta(minutes=50))
    await jobs.read_figures()
    assert not wechat.calls(SUMMARY)

    wechat.state.datacube.hold_back(APPID, late, ready=True)
    clock.advance(timedelta(minutes=15))
    await jobs.read_figures()
    assert asked(wechat, SUMMARY) == [(late.isoformat(), late.isoformat())]
    assert all(row["rows"] is not None for row in await rows_of(connection, SUMMARY))


async def test_an_empty_day_is_asked_about_once_more_two_days_later(
    jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    morning_after(clock)
    yesterday = backfilled(clock.now())[-1]
    await jobs.read_figures()
    says(wechat, MESSAGES, yesterday, [{"msg_type": 1, "msg_user": 2, "msg_count": 5}])
    (row,) = [row for row in await rows_of(connection, MESSAGES) if row["day"] == yesterday]
    assert (row["rows"], row["try_at"] is None) == ("[]", False)

    for _ in range(3):
        morning_after(clock)
        await jobs.read_figures()
    (row,) = [row for row in await rows_of(connection, MESSAGES) if row["day"] == yesterday]
    assert '"msg_count": 5' in row["rows"]
    assert row["try_at"] is None


async def test_of_many_workers_one_asks_about_a_day(
    settings: Settings, database: Database, wechat: WeChat, clock: WorldClock
) -> None:
    morning_after(clock)
    workers = [jobs_of(settings, database, wechat) for _ in range(6)]
    await asyncio.gather(*(worker.read_figures() for worker in workers))

    for path in SPANS:
        spans = sorted(asked(wechat, path))
        assert all(before[1] < after[0] for before, after in pairwise(spans)), path


async def test_what_a_killed_worker_has_begun_is_asked_again(
    settings: Settings,
    database: Database,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    morning_after(clock)
    killed = jobs_of(settings, database, wechat)

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("app.datacube.read._store", die)
        with pytest.raises(SystemExit):
            await killed.read_figures()
    leased = await connection.fetchval(
        "SELECT count(*) FROM wechat_figures WHERE lease IS NOT NULL"
    )
    assert leased > 0
    other = jobs_of(settings, database, wechat)
    await other.read_figures()
    unread = await connection.fetchval("SELECT count(*) FROM wechat_figures WHERE rows IS NULL")
    assert unread == leased

    clock.advance(timedelta(minutes=3))
    await other.read_figures()
    assert not await connection.fetchval("SELECT count(*) FROM wechat_figures WHERE rows IS NULL")


async def test_an_account_without_the_right_is_not_asked_all_the_time(
    jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    morning_after(clock)
    for path in OA_CALLS:
        wechat.strike(path, errcode=48001)
    for _ in range(6):
        await jobs.read_figures()
        clock.advance(timedelta(minutes=10))

    assert [len(wechat.calls(path)) for path in OA_CALLS] == [1, 1, 1, 1]
    assert len(wechat.calls(TREND)) == FEW_DAYS


async def test_days_that_wechat_refuses_for_ever_are_given_up(
    jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    morning_after(clock)
    wechat.strike(SUMMARY, errcode=61500)
    await jobs.read_figures()

    assert {row["try_at"] for row in await rows_of(connection, SUMMARY)} == {None}
    assert {row["errcode"] for row in await rows_of(connection, SUMMARY)} == {61500}


async def test_an_account_that_gives_no_answer_is_left_alone_until_the_next_run(
    jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    morning_after(clock)
    for path in OA_CALLS:
        wechat.strike(path, status=502)
    with capture_logs() as logs:
        await jobs.read_figures()

    assert sum(len(wechat.calls(path)) for path in OA_CALLS) == 1
    assert len(wechat.calls(TREND)) == FEW_DAYS
    assert [entry["api"] for entry in logs if entry["event"] == "datacube.not_read"] == [
        "datacube/getinterfacesummary"
    ]


async def test_without_an_appsecret_nobody_is_asked(
    settings: Settings, database: Database, wechat: WeChat, clock: WorldClock
) -> None:
    morning_after(clock)
    await jobs_of(without_appsecret(settings), database, wechat).read_figures()
    assert not any(wechat.calls(path) for path in OA_CALLS)


@pytest.mark.usefixtures("wechat")
async def test_days_that_are_long_over_are_deleted(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await jobs.read_figures()
    first = await connection.fetchval("SELECT min(day) FROM wechat_figures")
    clock.advance(timedelta(days=400))
    await jobs.read_figures()
    for table in ("wechat_figures", "push_days"):
        oldest = await connection.fetchval(f"SELECT min(day) FROM {table}")  # noqa: S608 - a constant
        assert oldest >= day_of(clock.now()) - timedelta(days=400) > first
