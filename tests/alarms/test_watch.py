"""Alarms begin when a figure reaches its threshold, and end once it has been below for a while."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from app.alarms import figures, push_pauses
from app.alarms.kinds import AlarmKind
from app.alarms.watch import ENDS_AFTER, evaluate
from app.datacube.days import day_of
from app.first_id import first_id
from app.settings import Settings
from app.worker import Jobs
from tests.alarms.makers import MINUTE, alarms, calm, kinds, refuse
from tests.campaigns.makers import added as campaign
from tests.campaigns.makers import imported
from tests.service import APPID, Service, WorldClock, event

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _running(service: Service) -> None:
    """The service runs, so that the API can be called."""


async def test_an_alarm_ends_once_its_figure_was_below_the_threshold_for_five_minutes(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    await calm(connection)
    clock.advance(ENDS_AFTER - MINUTE)
    await jobs.watch_alarms()
    assert await kinds(connection) == ["refusals"]

    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    await calm(connection)
    clock.advance(ENDS_AFTER - MINUTE)
    await jobs.watch_alarms()
    assert await kinds(connection) == ["refusals"]

    clock.advance(MINUTE)
    await jobs.watch_alarms()
    assert await kinds(connection) == []

    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    assert len(await alarms(connection)) == 2


async def test_the_figure_of_an_alarm_is_the_latest(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await refuse(connection, clock.now(), 30)
    await jobs.watch_alarms()
    began = clock.now()
    clock.advance(MINUTE)
    # In another hour these would be further ones.
    await calm(connection)
    await refuse(connection, clock.now(), 50)
    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert (alarm["value"], alarm["threshold"], alarm["began_at"]) == (50, 20, began)


async def test_workers_that_evaluate_at_once_begin_one_alarm(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await refuse(connection, clock.now())

    await asyncio.gather(*(jobs.watch_alarms() for _ in range(4)))

    assert await kinds(connection) == ["refusals"]


async def test_figures_that_cannot_be_read_end_nothing(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    await connection.execute("ALTER TABLE callback_refusals RENAME TO elsewhere")
    clock.advance(2 * ENDS_AFTER)

    await jobs.watch_alarms()

    assert await kinds(connection) == ["refusals"]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ({"value": 101}, []),
        ({"value": 100}, ["refusals"]),
        ({"enabled": False}, []),
        ({"value": 101, "appid": APPID}, []),
        ({"value": 1, "appid": APPID}, ["refusals"]),
    ],
)
async def test_a_threshold_that_is_set_holds(
    service: Service,
    jobs: Jobs,
    clock: WorldClock,
    connection: asyncpg.Connection,
    threshold: dict[str, object],
    expected: list[str],
) -> None:
    answer = await service.api("PUT", "alarms/thresholds/refusals", json=threshold)
    assert answer.status_code == 200, answer.text
    await refuse(connection, clock.now())

    await jobs.watch_alarms()

    assert await kinds(connection) == expected


async def test_what_an_account_has_of_its_own_goes_before_what_holds_for_all(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await service.api("PUT", "alarms/thresholds/refusals", json={"enabled": False})
    own = {"appid": APPID, "value": 50}
    await service.api("PUT", "alarms/thresholds/refusals", json=own)
    await refuse(connection, clock.now())

    await jobs.watch_alarms()

    assert await kinds(connection) == ["refusals"]
    assert (await alarms(connection))[0]["threshold"] == 50


async def test_a_queue_that_waits_raises_an_alarm(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO pgqueuer (entrypoint, priority, status, execute_after)"
        " VALUES ('replies.deliver', 0, 'queued', now() - interval '11 minutes'),"
        " ('feed.deliver', 0, 'queued', now() - interval '20 minutes')"
    )

    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert (alarm["kind"], int(alarm["value"])) == ("queue_age", 20)


async def test_messages_that_fail_raise_an_alarm(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    for number in range(20):
        at = clock.now() - timedelta(minutes=30 if number < 10 else 90)
        await failed_reply(connection, UUID(int=first_id(at).int + number), at)

    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert (alarm["kind"], alarm["appid"], alarm["value"]) == ("send_failures", APPID, 10)


async def test_a_quota_that_is_nearly_used_up_raises_an_alarm(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    for api, used in (("message/custom/send", 850), ("user/info", 10)):
        await connection.execute(
            "INSERT INTO api_quotas (appid, api, daily_limit, used, asked_at)"
            " VALUES ($1, $2, 1000, $3, $4)",
            APPID,
            api,
            used,
            clock.now(),
        )

    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert (alarm["kind"], alarm["subject"]) == ("quota", "message/custom/send")
    assert alarm["value"] == pytest.approx(85)


async def test_a_fault_of_the_doctor_raises_an_alarm_but_not_what_has_a_threshold_here(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    findings = [("access-token", "fault"), ("rules", "look"), *((n, "fault") for n in OWN)]
    for check, state in findings:
        await connection.execute(
            "INSERT INTO doctor_findings VALUES ($1, $2, $3, $4, $4)",
            check,
            APPID,
            state,
            clock.now(),
        )

    await jobs.watch_alarms()

    assert [(a["kind"], a["subject"]) for a in await alarms(connection)] == [
        ("doctor", "access-token")
    ]


OWN = figures.OWN_THRESHOLD


async def test_a_pool_that_runs_out_raises_one_alarm_until_it_has_enough_codes(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    low = await campaign(service, name="low", warn_below=3)
    await imported(service, jobs, low, "CODE-A1", "CODE-A2")
    twin = await campaign(service, name="low", warn_below=3)
    await imported(service, jobs, twin, "CODE-A1", "CODE-A2")
    enough = await campaign(service, name="enough", warn_below=2)
    await imported(service, jobs, enough, "CODE-A1", "CODE-A2")
    empty = await campaign(service, name="empty", warn_below=0)
    await imported(service, jobs, empty, "CODE-A1")
    await connection.execute(
        "UPDATE campaign_codes SET given_at = now() WHERE campaign_id = $1", UUID(empty["id"])
    )

    await jobs.watch_alarms()
    assert [(one["kind"], one["subject"]) for one in await alarms(connection)] == [
        ("code_pool", "empty"),
        ("code_pool", "low"),
    ]

    for each in (low, twin, empty):
        await imported(service, jobs, each, "CODE-B1", "CODE-B2")
    clock.advance(ENDS_AFTER)
    await jobs.watch_alarms()
    assert await kinds(connection) == []


async def figures_of(
    connection: asyncpg.Connection, day: date, *, theirs: int, texts: int, settled: bool = True
) -> None:
    """Let WeChat have counted messages of a day, and the service as well."""
    await connection.execute(
        """INSERT INTO push_days (appid, day, covered, follows, unfollows, qr_follows, texts,
               images, voices, videos, links, pushes, refused, hours, silences, counted_at)
           VALUES ($1, $2, true, 0, 0, 0, $3, 0, 0, 0, 0, $3, 0, '[]', '[]', now())""",
        APPID,
        day,
        texts,
    )
    await connection.execute(
        """INSERT INTO wechat_figures (appid, call, day, rows, try_at, read_at)
           VALUES ($1, 'getupstreammsg', $2, $3, $4, now())""",
        APPID,
        day,
        json.dumps([{"msg_type": 1, "msg_user": 1, "msg_count": theirs}]),
        None if settled else datetime.now(UTC),
    )


async def test_figures_that_differ_as_the_doctor_judges_raise_an_alarm(
    jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    today = day_of(clock.now())
    await figures_of(connection, today - 4 * DAY, theirs=1000, texts=1)
    await figures_of(connection, today - 3 * DAY, theirs=1000, texts=980)
    await figures_of(connection, today - 2 * DAY, theirs=1000, texts=1040)
    await figures_of(connection, today - 1 * DAY, theirs=1000, texts=900)

    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert (alarm["kind"], alarm["appid"], alarm["subject"]) == (
        "figures_differ",
        APPID,
        "messages",
    )
    assert (alarm["value"], alarm["threshold"]) == (pytest.approx(10), 2)


@pytest.mark.parametrize(
    ("errcode", "api", "appid", "hours", "raised"),
    [
        (48001, "datacube/getupstreammsg", APPID, 23, []),
        (48001, "datacube/getupstreammsg", APPID, 25, ["figures_differ"]),
        (48001, "datacube/getupstreammsg", "wx-other", 1, ["figures_differ"]),
        (48001, "message/custom/send", APPID, 1, ["figures_differ"]),
        (61503, "datacube/getupstreammsg", APPID, 1, ["figures_differ"]),
    ],
)
async def test_an_account_that_wechat_gives_no_figures_is_not_compared(
    jobs: Jobs,
    clock: WorldClock,
    connection: asyncpg.Connection,
    errcode: int,
    api: str,
    appid: str,
    hours: int,
    raised: list[str],
) -> None:
    """As for the doctor: the account is not verified any more, and earlier figures stand."""
    await figures_of(connection, day_of(clock.now()) - 2 * DAY, theirs=1000, texts=900)
    seen = clock.now() - timedelta(hours=hours)
    await connection.execute(
        "INSERT INTO api_problems (appid, api, errcode, errmsg, since, seen_at, count) "
        "VALUES ($1, $2, $3, 'refused', $4, $4, 1)",
        appid,
        api,
        errcode,
        seen,
    )

    await jobs.watch_alarms()

    assert await kinds(connection) == raised


async def test_figures_that_differ_by_two_percent_or_may_still_change_raise_no_alarm(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    today = day_of(clock.now())
    await figures_of(connection, today - 2 * DAY, theirs=1000, texts=980)
    await figures_of(connection, today - 1 * DAY, theirs=1000, texts=1, settled=False)

    await jobs.watch_alarms()

    assert await kinds(connection) == []
    less = await service.api("PUT", "alarms/thresholds/figures_differ", json={"value": 1})
    assert less.status_code == 422


def test_every_kind_has_its_figures() -> None:
    assert set(figures.FIGURES) == set(AlarmKind)


async def push(service: Service, clock: WorldClock, after: timedelta = timedelta()) -> None:
    """Let the account push once, so much later."""
    clock.advance(after)
    await service.push(event(clock, "VIEW", EventKey=f"https://example.com/{clock.seconds}"))


async def test_an_account_that_has_never_pushed_raises_no_alarm(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    own = {"appid": APPID, "value": 5}
    await service.api("PUT", "alarms/thresholds/no_push", json=own)
    await jobs.watch_alarms()
    clock.advance(30 * DAY)

    await jobs.watch_alarms()

    assert await kinds(connection) == []


async def test_no_push_for_the_minutes_that_are_set_raises_an_alarm_until_the_next_push(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    own = {"appid": APPID, "value": 45}
    await service.api("PUT", "alarms/thresholds/no_push", json=own)
    await push(service, clock)
    clock.advance(44 * MINUTE)
    await jobs.watch_alarms()
    assert await kinds(connection) == []

    clock.advance(MINUTE)
    await jobs.watch_alarms()
    assert await kinds(connection) == ["no_push"]

    await push(service, clock)
    clock.advance(ENDS_AFTER)
    await jobs.watch_alarms()
    assert await kinds(connection) == []


async def pushed_daily(
    service: Service, settings: Settings, jobs: Jobs, clock: WorldClock, days: int
) -> None:
    """Let the account push twice on so many days; its nights are 18 hours."""
    await push(service, clock)
    await evaluate(jobs.database.sessions, clock, settings)
    for _ in range(days):
        for pause in (18, 6):
            await push(service, clock, timedelta(hours=pause))
            await evaluate(jobs.database.sessions, clock, settings)


async def test_without_a_threshold_the_usual_pauses_of_the_account_decide(
    service: Service,
    settings: Settings,
    jobs: Jobs,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await pushed_daily(service, settings, jobs, clock, 9)
    clock.advance(timedelta(hours=26))
    await jobs.watch_alarms()
    assert await kinds(connection) == []

    clock.advance(timedelta(hours=1))
    await jobs.watch_alarms()

    [alarm] = await alarms(connection)
    assert alarm["kind"] == "no_push"
    assert alarm["threshold"] == pytest.approx(1.5 * 18 * 60)


async def test_the_silence_of_an_alarm_is_not_learned_as_usual(
    service: Service,
    settings: Settings,
    jobs: Jobs,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await pushed_daily(service, settings, jobs, clock, 9)
    await push(service, clock, 4 * DAY)
    await jobs.watch_alarms()

    longest = await connection.fetchval("SELECT max(longest_pause_seconds) FROM alarm_push_days")
    assert longest == 18 * 3600


async def test_the_pauses_of_less_than_a_week_decide_nothing(
    service: Service,
    settings: Settings,
    jobs: Jobs,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await pushed_daily(service, settings, jobs, clock, 4)
    clock.advance(2 * DAY)

    await jobs.watch_alarms()

    assert await kinds(connection) == []


async def test_pushes_are_counted_in_steps_and_twice_changes_nothing(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    for pause in (0, 10, 25, 5, 7):
        await push(service, clock, pause * MINUTE)

    await push_pauses.count_new(jobs.database.sessions, clock.now(), most=2)
    first = await pauses(connection)
    await push_pauses.count_new(jobs.database.sessions, clock.now(), most=2)

    assert first == [(25 * 60, clock.now())]
    assert await pauses(connection) == first


async def test_while_pushes_wait_to_be_counted_silence_is_judged_up_to_there(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    await push(service, clock)
    behind = clock.now()
    await push_pauses.count_new(jobs.database.sessions, clock.now())
    for _ in range(7):
        await push(service, clock, DAY)

    await push_pauses.count_new(jobs.database.sessions, clock.now(), most=1)

    async with jobs.database.sessions() as session:
        [silence] = await push_pauses.read(session, [APPID], clock.now())
    looked_at = await connection.fetchval("SELECT looked_at FROM alarm_progress")
    assert behind < looked_at < clock.now()
    assert silence.minutes == 0


async def pauses(connection: asyncpg.Connection) -> list[tuple[float, datetime]]:
    """Return the longest pause and the last push of each account."""
    found = await connection.fetch(
        "SELECT max(longest_pause_seconds), last_at FROM alarm_push_days"
        " JOIN alarm_pushes USING (appid) GROUP BY 2"
    )
    return [(row[0], row[1]) for row in found]


async def failed_reply(connection: asyncpg.Connection, id_: UUID, at: datetime) -> None:
    """Store a reply that has failed."""
    await connection.execute(
        "INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content,"
        " status, created_at) VALUES ($1, $1, 1, $2, 'o', 'customer_service', 'text', '{}',"
        " 'failed', $3)",
        id_,
        APPID,
        at,
    )
