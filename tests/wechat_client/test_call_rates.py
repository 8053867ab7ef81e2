"""No account makes more calls of an API than its rate allows, whichever process makes them."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.db.engine import Database, open_database
from app.replies.errors import TryLater
from app.settings import Settings
from app.wechat.ids import AppId
from app.wechat_client.call_rate import DEFAULT_RATES, CallRate, lower, rate_of
from app.wechat_client.call_rates import AHEAD, CallRates, rates_of
from app.wechat_client.errors import Paused
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses, written
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    SEND,
    Service,
    WeChat,
    WorldClock,
    column,
    counted,
    jobs_of,
    rows,
    text_reply,
)

API = "message/custom/send"
ID = AppId(APPID)
# Two at once, then one each 10 s.
RATE = CallRate(20, 190)
TEXT = text_reply("hello", via="customer_service")


def rates(database: Database, clock: WorldClock, rate: CallRate = RATE) -> CallRates:
    return CallRates(database.brief, database.sessions, clock, {API: rate})


async def admitted(turns: CallRates, number: int, appid: AppId = ID) -> list[datetime | None]:
    """Ask for so many calls at once; return None for each that may be made, else until when.

    Those that may be made come first.
    """

    async def ask() -> datetime | None:
        try:
            await turns.admit(appid, API)
        except Paused as error:
            return error.until
        return None

    found = await asyncio.gather(*[ask() for _ in range(number)])
    return sorted(found, key=lambda until: until is not None)


@given(calls=st.integers(1, 5000), seconds=st.integers(1, 86_400))
def test_no_span_holds_more_than_the_rate(calls: int, seconds: int) -> None:
    rate = CallRate(calls, seconds)
    # Those at once, and those of later turns that fall into the same span.
    most = rate.at_once + -(-rate.period // rate.interval) - 1

    assert rate.at_once >= 1
    assert calls / 2 <= most <= calls


def test_the_operators_word_goes_before_wechats_and_that_of_the_references() -> None:
    api = "wxa/getwxacodeunlimit"
    one, two = CallRate(1, 1), CallRate(2, 1)

    assert rate_of(api, set_by_operator=one, said_by_wechat=two) == one
    assert rate_of(api, set_by_operator=None, said_by_wechat=two) == two
    assert rate_of(api, set_by_operator=None, said_by_wechat=None) == DEFAULT_RATES[api]
    assert rate_of(API, set_by_operator=None, said_by_wechat=None) is None


def test_of_two_rates_the_slower_one_holds_whatever_their_spans() -> None:
    of_a_minute, of_a_day = CallRate(100, 60), CallRate(1000, 86_400)

    assert lower(of_a_minute, of_a_day) == lower(of_a_day, of_a_minute) == of_a_day
    assert lower(None, of_a_minute) == lower(of_a_minute, None) == of_a_minute
    assert lower(None, None) is None


async def test_after_those_at_once_calls_follow_at_the_interval(
    database: Database, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    turns = rates(database, clock)
    began = clock.now()
    later = began + RATE.interval

    assert await admitted(turns, 3) == [None, None, later - AHEAD]
    clock.advance(RATE.interval - AHEAD - timedelta(microseconds=1))
    assert await admitted(turns, 1) == [later - AHEAD]
    clock.advance(AHEAD + timedelta(microseconds=1))
    assert await admitted(turns, 2) == [None, later + RATE.interval - AHEAD]
    clock.advance(timedelta(days=1))
    assert (await admitted(turns, 5)).count(None) == 2
    assert await column(connection, "SELECT count(*) FROM api_rates") == [1]


async def test_a_call_whose_turn_is_near_waits_for_it(
    database: Database, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = rates(database, clock, CallRate(20, 2))
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("app.wechat_client.call_rates.asyncio.sleep", note)

    assert await admitted(turns, 4) == [None] * 4
    assert waited == pytest.approx([2 / 19, 4 / 19], abs=1e-5)


async def test_an_account_and_an_api_have_a_rate_each(
    database: Database, clock: WorldClock
) -> None:
    turns = rates(database, clock)
    await admitted(turns, 2)

    await turns.admit(ID, "media/upload")
    assert await admitted(turns, 1, AppId("wx00000000000000bb")) == [None]
    assert None not in await admitted(turns, 1)


@pytest.mark.parametrize(
    ("rate", "calls"), [(CallRate(57, 60), 3), (CallRate(1, 60), 2), (CallRate(5000, 60), 152)]
)
async def test_as_many_calls_are_at_hand_as_two_seconds_take(
    database: Database, clock: WorldClock, rate: CallRate, calls: int
) -> None:
    turns = rates(database, clock, rate)

    assert turns.at_hand(ID, API) == calls
    assert turns.at_hand(ID, "media/upload") is None


async def test_all_processes_share_a_rate(
    database: Database, database_url: str, clock: WorldClock
) -> None:
    others = [open_database(database_url) for _ in range(3)]
    many = [rates(one, clock, CallRate(100, 1000)) for one in (database, *others)]

    found = await asyncio.gather(*[admitted(turns, 20) for turns in many])

    assert sum(one.count(None) for one in found) == 10
    for other in others:
        await other.close()


async def test_a_clock_that_was_wrong_stops_no_call_for_good(
    database: Database, clock: WorldClock
) -> None:
    turns = rates(database, clock)
    clock.advance(timedelta(days=3650))
    await admitted(turns, 3)
    clock.advance(-timedelta(days=3650))

    assert None in await admitted(rates(database, clock), 1)


async def test_wechats_word_on_a_rate_holds(
    database: Database, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO api_quotas (appid, api, rate_calls, rate_seconds, asked_at) "
        "VALUES ($1, $2, 1, 60, now())",
        APPID,
        API,
    )
    turns = CallRates(database.brief, database.sessions, clock, {})

    assert (await admitted(turns, 2)).count(None) == 1


async def test_what_is_put_off_is_counted_and_logged_once_an_hour(
    database: Database, clock: WorldClock
) -> None:
    before = counted("api_calls_put_off_total", appid=APPID, api=API)
    turns = rates(database, clock)
    with capture_logs() as logs:
        await admitted(turns, 5)
        clock.advance(RATE.interval)
        await admitted(turns, 5)

    assert counted("api_calls_put_off_total", appid=APPID, api=API) - before == 7
    assert logs == [
        {
            "event": "wechat.rate_reached",
            "log_level": "warning",
            "appid": APPID,
            "api": API,
            "calls": RATE.calls,
            "seconds": RATE.seconds,
        }
    ]


@pytest.fixture
def slow_jobs(settings: Settings, database: Database, wechat: WeChat) -> Jobs:
    """The jobs of a worker whose account may send one message in 60 s."""
    return jobs_of(settings.model_copy(update={"api_rates": (f"{API}=1/60",)}), database, wechat)


async def test_a_reply_beyond_the_rate_waits_untried_and_goes_out_later(
    service: Service, wechat: WeChat, slow_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, TEXT)
    second = await written(service, wechat, openid=OTHER_OPENID)
    await deliver(slow_jobs, first)
    delays = []
    for _ in range(2):
        with pytest.raises(TryLater) as later:
            await deliver(slow_jobs, second)
        delays.append(later.value.delay)
    waiting = await rows(
        connection, "SELECT status, attempts, errmsg FROM replies WHERE openid = $1", OTHER_OPENID
    )
    left = await column(
        connection, "SELECT sends_left FROM send_windows WHERE openid = $1", OTHER_OPENID
    )
    paused = slow_jobs.tokens.paused_accounts("message/custom/send")
    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    service.clock.advance(timedelta(minutes=1))

    await deliver(slow_jobs, second)

    assert part["rates"] == [{"appid": APPID, "api": API}]
    assert part["status"] == "degraded"
    assert all(timedelta(seconds=59) <= delay <= timedelta(seconds=62) for delay in delays)
    assert waiting == [
        {
            "status": "pending",
            "attempts": 0,
            "errmsg": f"{API} is called 1 times in 60 s at most: this call is put off",
        }
    ]
    assert (left, paused) == ([5], [APPID])
    assert slow_jobs.tokens.paused_accounts("message/custom/send") == []
    assert [call["openid"] for call in wechat.calls(SEND)] == [OPENID, OTHER_OPENID]
    assert await statuses(connection) == ["sent", "sent"]


def test_a_rate_of_an_api_that_is_never_called_is_logged(settings: Settings) -> None:
    with capture_logs() as logs:
        found = rates_of(settings.model_copy(update={"api_rates": ("cgi/send=5/60",)}))

    assert found == {"cgi/send": CallRate(5, 60)}
    assert [line["event"] for line in logs] == ["settings.rate_of_unknown_api"]
