"""The worker gets codes from WeChat and renews the temporary ones under the same scene."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import open_database
from app.links import renewable
from app.qrcodes import renew as qrcodes
from app.qrcodes.life import LONGEST
from app.settings import Settings
from app.worker import Jobs
from tests.qrcodes.makers import CREATE, added, made, renewed
from tests.service import Service, WeChat, WorldClock, column, jobs_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio


async def queued(connection: asyncpg.Connection) -> int:
    found = await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'qrcodes.renew'"
    )
    return int(found[0])


async def test_a_temporary_code_is_renewed_under_its_scene_a_week_before_it_ends(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    code = await made(service, jobs)
    (first,) = wechat.state.qrcodes.made
    assert (first.scene, code["url"], code["state"]) == ("store_0042", first.url, "live")
    assert first.expires_at == clock.now() + LONGEST
    await connection.execute("DELETE FROM pgqueuer")

    clock.advance(timedelta(days=20))
    await qrcodes.sweep(jobs.database.sessions, clock)
    await renewed(jobs, code)
    assert (await queued(connection), len(wechat.calls(CREATE))) == (0, 1)
    clock.advance(timedelta(days=2, minutes=1))
    for _ in range(2):
        await qrcodes.sweep(jobs.database.sessions, clock)
    assert await queued(connection) == 1
    await renewed(jobs, code)

    _, second = wechat.state.qrcodes.made
    assert second.scene == "store_0042"
    assert (await service.read(f"qrcodes/{code['id']}"))["url"] == second.url


async def test_a_permanent_code_is_made_once(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    code = await made(service, jobs, kind="permanent")
    assert wechat.state.qrcodes.made[0].expires_at is None
    assert (code["expires_at"], code["renew_at"]) == (None, None)
    await connection.execute("DELETE FROM pgqueuer")

    clock.advance(timedelta(days=4000))
    await qrcodes.sweep(jobs.database.sessions, clock)
    await service.api("POST", f"qrcodes/{code['id']}/renew")
    await renewed(jobs, code)
    assert (await queued(connection), len(wechat.calls(CREATE))) == (0, 1)


async def test_two_workers_at_once_make_one_code(
    service: Service, jobs: Jobs, settings: Settings, wechat: WeChat, database_url: str
) -> None:
    code = await added(service)
    other_database = open_database(database_url)
    other = jobs_of(settings, other_database, wechat)
    wechat.strike(CREATE, latency_seconds=0.2, count=1)

    await asyncio.gather(*(renewed(one, code) for one in (jobs, other, jobs, other)))

    assert len(wechat.calls(CREATE)) == 1
    await other_database.close()


async def test_a_killed_run_is_taken_over_when_its_lease_ends(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    code = await added(service, kind="permanent")
    wechat.strike(CREATE, latency_seconds=60, count=1)
    run = asyncio.create_task(renewed(jobs, code))

    async def is_claimed() -> bool:
        return bool(await column(connection, "SELECT 1 FROM qrcodes WHERE lease IS NOT NULL"))

    await eventually(is_claimed)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await connection.execute("DELETE FROM pgqueuer")

    await qrcodes.sweep(jobs.database.sessions, clock)
    assert await queued(connection) == 0
    clock.advance(renewable.LEASE)
    await qrcodes.sweep(jobs.database.sessions, clock)
    assert await queued(connection) == 1
    wechat.state.faults.active.clear()
    await renewed(jobs, code)

    assert [one.scene for one in wechat.state.qrcodes.made] == ["store_0042"]
    (count,) = (await service.read("qrcodes/permanent"))["items"]
    assert count["count"] == 1


@pytest.mark.parametrize(
    ("fault", "stays_counted"),
    [
        ({"errcode": 48001}, 0),
        ({"errcode": 40053}, 0),
        ({"drop": "after"}, 1),
        ({"body": "<html>"}, 1),
    ],
)
async def test_a_refused_permanent_code_is_given_back_and_one_of_unknown_outcome_is_not(
    service: Service, jobs: Jobs, wechat: WeChat, fault: dict[str, object], stays_counted: int
) -> None:
    code = await added(service, kind="permanent")
    wechat.strike(CREATE, count=1, **fault)
    await renewed(jobs, code)

    found = await service.read(f"qrcodes/{code['id']}", language="zh")
    assert found["state"] == ("refused" if "errcode" in fault else "unanswered")
    if "errcode" in fault:
        assert found["problem"]["errcode"] == fault["errcode"]
        assert found["problem"]["meaning"]
        assert found["problem"]["fix"]
        assert found["problem"]["rid"]
    assert (await service.api("DELETE", f"qrcodes/{code['id']}")).status_code == 204
    (count,) = (await service.read("qrcodes/permanent"))["items"]
    assert count["count"] == stays_counted


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": "before"},
        {"drop": "after"},
        {"status": 502},
        {"body": "<html>"},
        {"errcode": -1},
        {"body": '{"ticket": "gQ1"}'},
        {"body": '{"ticket": 1, "url": "u"}'},
    ],
)
async def test_a_failure_is_tried_again_seconds_later(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, fault: dict[str, object]
) -> None:
    code = await added(service)
    wechat.strike(CREATE, count=1, **fault)
    await renewed(jobs, code)
    await renewed(jobs, code)
    state = "refused" if "errcode" in fault else "unanswered"
    assert (await service.read(f"qrcodes/{code['id']}"))["state"] == state

    clock.advance(timedelta(seconds=5))
    await renewed(jobs, code)
    assert (await service.read(f"qrcodes/{code['id']}"))["state"] == "live"


async def test_a_used_up_day_is_waited_for_until_midnight_in_shanghai(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    wechat.state.qrcodes.a_day = 1
    await made(service, jobs)
    code = await made(service, jobs, scene=None)
    assert code["problem"]["errcode"] == 45009
    assert code["renew_at"][11:19] == "16:00:00"

    clock.advance(timedelta(days=1))
    await renewed(jobs, code)
    assert (await service.read(f"qrcodes/{code['id']}"))["state"] == "live"


async def test_a_life_that_wechat_makes_shorter_is_reckoned_with(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    wechat.strike(CREATE, body='{"ticket": "gQ1", "url": "u", "expire_seconds": 604800}', count=1)
    code = await made(service, jobs)
    clock.advance(timedelta(days=5, hours=4))
    await renewed(jobs, code)

    assert len(wechat.calls(CREATE)) == 2


async def test_a_deleted_code_is_not_asked_for(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    code = await added(service)
    assert (await service.api("DELETE", f"qrcodes/{code['id']}")).status_code == 204
    await renewed(jobs, code)

    assert wechat.calls(CREATE) == []
