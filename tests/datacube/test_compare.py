"""WeChat's figures stand beside ours, of the same days."""

import json
from datetime import datetime, time, timedelta, timezone

import asyncpg
import pytest

from app.clock import SHANGHAI
from app.datacube import days as days_of_figures
from app.datacube.days import day_of, start_of
from app.first_id import first_id
from app.worker import Jobs
from simulator.demo import OPENIDS
from tests.arrivals.makers import launch, report
from tests.datacube.makers import (
    DISTRIBUTION,
    MESSAGES,
    MINI_PROGRAM,
    SUMMARY,
    TREND,
    compared,
    figure,
    insert_texts,
    morning_after,
    pushed_day,
    says,
    says_of_pushed_day,
)
from tests.service import APPID, Json, Service, WeChat, WorldClock

VISITS = {"session_cnt": 40, "visit_pv": 90, "visit_uv": 30, "visit_uv_new": 7}


@pytest.fixture(autouse=True)
def few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask about fewer days than the service does."""
    monkeypatch.setattr(days_of_figures, "BACKFILL_DAYS", 3)


async def earlier_push(service: Service, clock: WorldClock) -> None:
    """Let the account have pushed before the day, so that the day can be compared."""
    before = start_of(day_of(clock.now())) - timedelta(hours=3)
    await insert_texts(service, [before])


async def test_the_figures_of_a_day_are_equal_when_nothing_is_lost(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await earlier_push(service, clock)
    await pushed_day(service)
    day = morning_after(clock)
    says_of_pushed_day(wechat, day)
    await jobs.read_figures()

    account = await compared(service, **{"from": day.isoformat(), "until": day.isoformat()})

    found = {
        one["name"]: (one["wechat"], one["ours"], one["difference"]) for one in account["figures"]
    }
    assert found["followed"] == (3, 3, 0.0)
    assert found["unfollowed"] == (1, 1, 0.0)
    assert found["followed_by_qrcode"] == (1, 1, 0.0)
    assert found["messages"] == found["texts"] == (4, 4, 0.0)
    assert found["images"] == (0, 0, 0.0)
    assert found["pushes"] == (8, 8, 0.0)
    assert found["failed_pushes"] == (0, 0, 0.0)
    assert found["mean_milliseconds"] == (20, None, None)
    assert found["followers"][:2] == (len(OPENIDS), 2)
    assert account["waiting"] == []
    assert figure(account, "followed")["days"] == [
        {"day": day.isoformat(), "wechat": 3, "ours": 3, "difference": 0.0}
    ]


async def test_what_is_lost_shows_as_a_difference(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await earlier_push(service, clock)
    await pushed_day(service)
    day = morning_after(clock)
    says(wechat, MESSAGES, day, [{"msg_type": 1, "msg_user": 1, "msg_count": 5}])
    await jobs.read_figures()

    account = await compared(service, **{"from": day.isoformat()})
    assert figure(account, "messages")["difference"] == pytest.approx(-0.2)


@pytest.mark.usefixtures("wechat")
async def test_a_day_is_one_of_shanghai_to_the_second(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    # By a clock of its own, eight hours ahead of UTC.
    china = timezone(timedelta(hours=8))
    today = clock.now().astimezone(china).date()
    midnight = datetime.combine(today, time(), china)
    edges = [
        midnight - timedelta(days=1),
        midnight - timedelta(seconds=1),
        midnight,
        midnight + timedelta(days=1) - timedelta(seconds=1),
        midnight + timedelta(days=1),
    ]
    await insert_texts(service, [*edges, midnight - timedelta(days=2)])
    clock.advance(midnight + timedelta(days=2, hours=9) - clock.now())
    await jobs.read_figures()

    first = (today - timedelta(days=1)).isoformat()
    account = await compared(service, **{"from": first})
    assert [one["ours"] for one in figure(account, "texts")["days"]] == [2, 2, 1]


async def test_days_before_the_first_push_are_not_ours_to_compare(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await pushed_day(service)
    first = morning_after(clock)
    says_of_pushed_day(wechat, first)
    await jobs.read_figures()

    account = await compared(service)
    newest = figure(account, "followed")["days"][-1]
    assert newest == {"day": first.isoformat(), "wechat": 3, "ours": None, "difference": None}
    assert figure(account, "followed")["ours"] is None

    morning_after(clock)
    await jobs.read_figures()
    assert figure(await compared(service), "followed")["days"][-1]["ours"] == 0


async def test_what_an_erasure_takes_still_counts(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await earlier_push(service, clock)
    await pushed_day(service)
    day = morning_after(clock)
    says_of_pushed_day(wechat, day)
    await jobs.read_figures()
    await connection.execute("UPDATE follow_events SET scene = NULL")
    morning_after(clock)
    await jobs.read_figures()
    morning_after(clock)
    await jobs.read_figures()

    account = await compared(service, **{"from": day.isoformat(), "until": day.isoformat()})
    assert figure(account, "followed_by_qrcode")["ours"] == 1


@pytest.mark.usefixtures("wechat")
async def test_a_push_from_a_spool_is_counted_the_next_time(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    await earlier_push(service, clock)
    today = day_of(clock.now())
    morning_after(clock)
    await jobs.read_figures()
    await insert_texts(service, [datetime.combine(today, time(12), SHANGHAI)])
    await jobs.read_figures()
    bounds = {"from": today.isoformat(), "until": today.isoformat()}
    assert figure(await compared(service, **bounds), "texts")["ours"] == 0

    morning_after(clock, days=2)
    await jobs.read_figures()
    assert figure(await compared(service, **bounds), "texts")["ours"] == 1


async def test_a_day_that_is_not_ready_is_named(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    day = morning_after(clock)
    wechat.state.datacube.hold_back(APPID, day)
    await jobs.read_figures()

    account = await compared(service, language="zh")
    summary, *_ = account["waiting"]
    assert summary["api"] == "datacube/getusersummary"
    assert (summary["day"], summary["days"], summary["errcode"]) == (day.isoformat(), 1, 61503)
    assert summary["meaning"] == "当日数据尚未就绪。"
    assert summary["try_at"] is not None
    assert figure(account, "followed")["days"][-1]["wechat"] is None


async def test_a_mini_program_has_its_visits_and_their_sources(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    day = morning_after(clock)
    appid = MINI_PROGRAM.appid
    says(wechat, TREND, day, [VISITS], appid)
    sources = [{"key": 13, "value": 12}, {"key": 27, "value": 9}, {"key": 10, "value": 19}]
    says(wechat, DISTRIBUTION, day, sources, appid)
    await jobs.read_figures()

    account = await compared(service, appid, **{"from": day.isoformat()})
    found = {one["name"]: one["wechat"] for one in account["figures"]}
    assert (found["sessions"], found["visits"], found["visitors"]) == (40, 90, 30)
    assert (found["sessions_from_menus"], found["sessions_from_conversations"]) == (12, 9)
    assert found["sessions_from_articles"] == 0


async def launched(service: Service, at: datetime, openid: str | None, scene: int = 1001) -> None:
    changes = {"appid": MINI_PROGRAM.appid, "openid": openid, "scene": scene}
    await report(service, launch(service, at=at.isoformat(), **changes))


async def test_reported_launches_stand_beside_the_sessions(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    midnight = start_of(day_of(clock.now()))
    clock.advance(midnight + timedelta(hours=12) - clock.now())
    times = (midnight - timedelta(seconds=1), midnight, clock.now(), clock.now())
    people = (("oA", 1035), ("oA", 1102), ("oA", 1035), ("oB", 1074))
    for at, (openid, scene) in zip(times, people, strict=True):
        await launched(service, at, openid, scene)
    day = morning_after(clock)
    says(wechat, TREND, day, [VISITS], MINI_PROGRAM.appid)
    sources = [{"key": 13, "value": 12}, {"key": 27, "value": 9}, {"key": 39, "value": 5}]
    says(wechat, DISTRIBUTION, day, sources, MINI_PROGRAM.appid)
    await jobs.read_figures()
    # Who reports late is not lost: the day is counted again.
    await launched(service, midnight + timedelta(hours=1), None)
    late = "UPDATE arrivals SET id = $1 WHERE openid IS NULL"
    await connection.execute(late, first_id(clock.now()))
    clock.advance(timedelta(days=2))
    await jobs.read_figures()

    account = await compared(
        service, MINI_PROGRAM.appid, **{"from": day.isoformat(), "until": day.isoformat()}
    )
    found = {one["name"]: (one["wechat"], one["ours"]) for one in account["figures"]}
    assert (found["sessions"], found["visitors"]) == ((40, 4), (30, 2))
    assert found["visits"] == (90, None)
    assert (found["sessions_from_menus"], found["sessions_from_conversations"]) == ((12, 2), (9, 1))
    assert (found["sessions_from_articles"], found["sessions_from_web"]) == ((0, 0), (5, None))
    assert "1035, 1102, 1130" in figure(account, "sessions_from_menus")["expected"]


async def test_a_day_keeps_its_launches_when_somebody_is_erased(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await launched(service, clock.now(), "oA", 1035)
    day = morning_after(clock)
    appid, days = MINI_PROGRAM.appid, {"from": day.isoformat(), "until": day.isoformat()}
    says(wechat, DISTRIBUTION, day, [{"key": 13, "value": 2}], appid)
    await jobs.read_figures()
    await connection.execute("DELETE FROM arrivals")
    clock.advance(timedelta(days=2))
    await jobs.read_figures()

    menus = figure(await compared(service, appid, **days), "sessions_from_menus")
    assert (menus["wechat"], menus["ours"], menus["difference"]) == (2, 1, -0.5)
    # As an earlier release has counted it.
    await connection.execute("UPDATE visit_days SET scenes = NULL")
    assert figure(await compared(service, appid, **days), "sessions_from_menus")["ours"] is None


async def test_a_mini_program_that_reports_nothing_is_not_compared(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    day = morning_after(clock)
    says(wechat, TREND, day, [VISITS], MINI_PROGRAM.appid)
    await jobs.read_figures()

    account = await compared(service, MINI_PROGRAM.appid, **{"from": day.isoformat()})

    assert figure(account, "sessions")["ours"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-01-02", "until": "2026-01-01"}, "from"),
        ({"from": "2024-01-01", "until": "2026-01-01"}, "from"),
        ({"until": "2099-01-01"}, "until"),
        ({"time_zone": "UTC"}, "time_zone"),
    ],
)
async def test_days_that_can_t_be_compared_are_refused(
    service: Service, query: dict[str, str], field: str
) -> None:
    answer = await service.api("GET", "stats/compare", params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", field]


async def test_the_days_are_named_by_default(service: Service, clock: WorldClock) -> None:
    found: Json = await service.read("stats/compare")
    yesterday = day_of(clock.now()) - timedelta(days=1)
    assert found["until"] == yesterday.isoformat()
    assert found["from"] == (yesterday - timedelta(days=29)).isoformat()
    assert [one["kind"] for one in found["accounts"]] == ["oa", "mini_program"]


async def test_the_simulator_counts_what_it_pushes(wechat: WeChat, clock: WorldClock) -> None:
    day = day_of(clock.now())
    for name, key in (("subscribe", "qrscene_7"), ("unsubscribe", "")):
        document = {"CreateTime": clock.seconds, "MsgType": "event", "Event": name, "EventKey": key}
        wechat.state.datacube.count(APPID, document)
    found = wechat.state.datacube.rows(APPID, SUMMARY.removeprefix("/datacube/"), day, 0)
    assert sum(row["new_user"] for row in found if row["user_source"] == 30) == 1
    assert sum(row["cancel_user"] for row in found) == 1


@pytest.mark.usefixtures("wechat")
async def test_an_hour_without_pushes_is_noted_when_the_days_before_had_many(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    today = day_of(clock.now())
    times = [
        start_of(today - timedelta(days=number)) + timedelta(minutes=minute, seconds=1)
        for number in range(4)
        for minute in range(8 * 60, 12 * 60)
        if number or not 9 * 60 <= minute < 10 * 60
    ]
    await insert_texts(service, times)
    morning_after(clock)
    await jobs.read_figures()

    noted = await connection.fetchval(
        "SELECT silences FROM push_days WHERE appid = $1 AND day = $2", APPID, today
    )
    (silence,) = json.loads(noted)
    assert datetime.fromisoformat(silence[0]) == start_of(today) + timedelta(hours=9, seconds=-59)
    assert datetime.fromisoformat(silence[1]) == start_of(today) + timedelta(hours=10, seconds=1)


async def test_the_doctor_says_that_pushes_are_being_lost(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await earlier_push(service, clock)
    await pushed_day(service)
    day = morning_after(clock)
    says_of_pushed_day(wechat, day)
    says(wechat, MESSAGES, day, [{"msg_type": 1, "msg_user": 1, "msg_count": 5}])
    wechat.state.datacube.hold_back(APPID, day)
    await jobs.read_figures()
    assert await figures_of_doctor(service) == [("not_applicable", None)]

    wechat.state.datacube.hold_back(APPID, day, ready=True)
    clock.advance(timedelta(hours=1, minutes=1))
    await jobs.read_figures()
    assert await figures_of_doctor(service) == [("look", "messages")]


async def test_an_empty_answer_is_no_proof_until_it_is_confirmed(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await earlier_push(service, clock)
    await pushed_day(service, follows=0)
    day = morning_after(clock)
    says(wechat, SUMMARY, day, [{"user_source": 0, "new_user": 0, "cancel_user": 1}])
    says(wechat, MESSAGES, day, [])
    await jobs.read_figures()
    assert await figures_of_doctor(service) == [("ok", None)]

    morning_after(clock, days=2)
    await jobs.read_figures()
    assert ("look", "messages") in await figures_of_doctor(service)


async def figures_of_doctor(service: Service) -> list[tuple[str, str | None]]:
    """State and figure of what the doctor finds about WeChat's figures."""
    service.app.state.doctor._latest.at = None  # what it found less than three seconds ago
    found = await service.read("doctor")
    return [
        (one["state"], one["evidence"].get("figure"))
        for one in found["findings"]
        if one["check"] == "wechat-figures"
    ]


@pytest.mark.usefixtures("wechat")
async def test_followers_are_those_of_the_last_day_and_what_is_not_known_is_null(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    morning_after(clock)
    assert figure(await compared(service), "pushes")["wechat"] is None
    await jobs.read_figures()
    account = await compared(service)
    assert figure(account, "followers")["wechat"] == len(OPENIDS)
    assert len([one for one in figure(account, "followers")["days"] if one["wechat"]]) == 3
