"""Every process goes by the database's clock, however wrong its machine's is."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.clock import DIFFERENCES, SystemClock
from app.db import clock_watch
from app.db.clock_watch import compare, following_database
from app.db.engine import Database
from app.main import create_app
from app.worker import make_jobs
from tests.httpx_client import HttpxClient
from tests.ops.standins import database_away
from tests.replies.makers import deliver, statuses
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    Service,
    WeChat,
    clock,
    column,
    counted,
    event,
    running,
    service,
    settings,
    settings_for,
    text_reply,
    wechat,
)
from tests.waiting import eventually

__all__ = ["clock", "service", "settings", "wechat"]

HOUR = timedelta(hours=1)


def off(by: timedelta) -> SystemClock:
    """Return the clock of a process on a machine whose own clock is wrong."""
    return SystemClock(lambda: datetime.now(UTC) + by)


@pytest.fixture(autouse=True)
def no_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DIFFERENCES, "seconds", {})


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_wrong_clock_is_set_by_the_database_and_told_once(
    database: Database, hours: int
) -> None:
    clock = off(hours * HOUR)
    with capture_logs() as logged:
        await compare(database, clock)
        await compare(database, clock)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert [(one["event"], one["other"]) for one in logged] == [("clock.differs", "database")]
    assert abs(logged[0]["seconds"] - hours * 3600) < 1
    assert abs(counted("clock_difference_seconds", other="database") - hours * 3600) < 1


async def test_a_clock_that_is_set_right_meanwhile_is_told_and_changes_nothing(
    database: Database,
) -> None:
    wrong = [HOUR]
    clock = SystemClock(lambda: datetime.now(UTC) + wrong[0])
    await compare(database, clock)
    before = clock.now()
    wrong[0] = timedelta(0)
    with capture_logs() as logged:
        await compare(database, clock)

    assert timedelta(0) <= clock.now() - before < timedelta(seconds=5)
    assert [one["event"] for one in logged] == ["clock.agrees"]


async def test_without_a_database_the_clock_goes_on() -> None:
    async with database_away() as away:
        clock = SystemClock()
        await compare(away, clock)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert DIFFERENCES.seconds == {}


async def test_the_clocks_are_compared_again_and_again(
    database: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "EVERY_SECONDS", 0.05)
    wrong = [timedelta(0)]
    async with following_database(database, SystemClock(lambda: datetime.now(UTC) + wrong[0])):
        wrong[0] = HOUR

        async def noticed() -> bool:
            return DIFFERENCES.seconds["database"] > 3000

        await eventually(noticed)
    assert await column(connection, "SELECT 1") == [1]


async def test_a_cooldown_answers_once_whatever_the_clocks_of_two_processes_say(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folders = [tmp_path_factory.mktemp(name) for name in ("right", "wrong")]
    right, wrong = (
        settings_for(database_url, folder, replay_window_seconds=0) for folder in folders
    )
    async with (
        running(right, SystemClock()) as here,  # type: ignore[arg-type]  # it has `now`
        running(wrong, off(HOUR)) as there,  # type: ignore[arg-type]
    ):
        await here.add_rule(text_reply("once"), conditions={"cooldown_seconds": 1800}, priority=1)
        await there.app.state.rules.load_once()
        now = int(datetime.now(UTC).timestamp())
        results = [
            await one.push(message_at(now + number)) for number, one in enumerate((here, there))
        ]

    assert [response.status_code for response in results] == [200, 200]
    assert [b"<Encrypt>" in response.content for response in results] == [True, False]


def message_at(seconds: int) -> dict[str, object]:
    return {
        "ToUserName": ACCOUNT.original_id,
        "FromUserName": OPENID,
        "CreateTime": seconds,
        "MsgType": "text",
        "Content": "shop",
        "MsgId": seconds,
    }


async def test_a_worker_an_hour_ahead_sends_the_cards_of_a_minute(
    service: Service, wechat: WeChat, database: Database, connection: asyncpg.Connection
) -> None:
    await service.add_rule(
        text_reply("welcome", via="customer_service"), trigger={"on": "subscribe"}
    )
    wechat.state.meet(APPID, OPENID).follow(service.clock.now())
    wechat.open_window(OPENID)
    await service.push(event(service.clock, "subscribe"))
    (callback,) = await column(connection, "SELECT id FROM callbacks")
    ahead = off(HOUR)
    jobs = make_jobs(service.settings, database, ahead, HttpxClient(wechat.client))

    async with following_database(database, ahead):
        await jobs.sweep()
        await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]


async def test_the_web_application_follows_the_database_from_its_first_push_on(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = off(-HOUR)
    app = create_app(settings_for(database_url, tmp_path_factory.mktemp("data")), clock)
    async with app.router.lifespan_context(app):
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
        await asyncio.sleep(0)
