"""The worker keeps a URL Link alive for each link, and keeps WeChat's limits."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import Database, open_database
from app.links import quota, renewable
from app.links import renew as links
from app.settings import Settings
from app.worker import Jobs
from tests.links.makers import URL_LINK, added, body, opened
from tests.service import CARD_APPID, Service, WeChat, WorldClock, column, jobs_of
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio


async def renewed(jobs: Jobs, link: dict[str, object]) -> None:
    await jobs.renew_link({"link_id": str(link["id"])})


async def queued(connection: asyncpg.Connection) -> list[str]:
    return list(
        await column(
            connection,
            "SELECT payload::text FROM pgqueuer WHERE entrypoint = 'links.renew' ORDER BY id",
        )
    )


async def test_a_new_link_gets_a_url_link_with_what_all_visitors_share(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    link = await added(service)

    assert len(await queued(connection)) == 1
    assert link["url_link"] is None
    await renewed(jobs, link)

    (made,) = wechat.state.links.made
    assert made.target == {"path": "pages/shop/index", "query": "from=summer26&utm_source=sms"}
    found = await service.read(f"links/{link['id']}")
    assert found["url_link"] == made.link
    assert found["problem"] is None


async def test_a_link_is_renewed_a_week_before_it_ends_and_not_before(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    link = await added(service)
    await renewed(jobs, link)
    await renewed(jobs, link)
    assert len(wechat.calls(URL_LINK)) == 1
    before = len(await queued(connection))

    clock.advance(timedelta(days=20))
    await links.sweep(jobs.database.sessions, clock)
    assert len(await queued(connection)) == before
    clock.advance(timedelta(days=2, minutes=1))
    await links.sweep(jobs.database.sessions, clock)
    await links.sweep(jobs.database.sessions, clock)
    assert len(await queued(connection)) == before + 1
    first = (await opened(service)).headers["location"]
    await renewed(jobs, link)

    clock.advance(timedelta(days=20))
    assert len(wechat.state.links.made) == 2
    service.app.state.go.links._known.clear()
    assert (await opened(service)).headers["location"].split("?")[0] != first.split("?")[0]


async def test_two_workers_at_once_make_one_url_link(
    service: Service, jobs: Jobs, settings: Settings, wechat: WeChat, database_url: str
) -> None:
    link = await added(service)
    other_database = open_database(database_url)
    other = jobs_of(settings, other_database, wechat)
    wechat.strike(URL_LINK, latency_seconds=0.2, count=1)

    await asyncio.gather(*(renewed(one, link) for one in (jobs, other, jobs, other)))

    assert len(wechat.calls(URL_LINK)) == 1
    await other_database.close()


async def test_a_change_during_the_call_is_asked_for_at_once(
    service: Service, jobs: Jobs, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await added(service)
    changed = asyncio.Event()
    api = jobs.renewer.api
    ask = api.generate_urllink

    async def ask_slowly(*arguments: object) -> str:
        if not changed.is_set():
            answer = await service.api("PUT", f"links/{link['id']}", json=body(path="pages/other"))
            assert answer.status_code == 200, answer.text
            changed.set()
        return await ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(api, "generate_urllink", ask_slowly)
    await renewed(jobs, link)

    assert [made.target["path"] for made in wechat.state.links.made] == [
        "pages/shop/index",
        "pages/other",
    ]
    found = await service.read(f"links/{link['id']}")
    assert found["url_link"] == wechat.state.links.made[1].link


async def test_a_killed_run_is_taken_over_when_its_lease_ends(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    link = await added(service)
    wechat.strike(URL_LINK, latency_seconds=60, count=1)
    run = asyncio.create_task(renewed(jobs, link))

    async def is_claimed() -> bool:
        return bool(await column(connection, "SELECT 1 FROM links WHERE lease IS NOT NULL"))

    await eventually(is_claimed)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await connection.execute("DELETE FROM pgqueuer")

    await links.sweep(jobs.database.sessions, clock)
    assert await queued(connection) == []
    clock.advance(renewable.LEASE)
    await links.sweep(jobs.database.sessions, clock)
    assert len(await queued(connection)) == 1
    wechat.state.faults.active.clear()
    await renewed(jobs, link)

    assert len(wechat.state.links.made) == 1


async def test_a_refusal_is_told_with_its_meaning_and_visitors_fall_back(
    service: Service, jobs: Jobs
) -> None:
    link = await added(service, path="pages/unknown")
    await renewed(jobs, link)

    found = await service.read(f"links/{link['id']}", language="zh")
    problem = found["problem"]
    assert problem["errcode"] == 40165
    assert problem["meaning"]
    assert problem["fix"]
    assert problem["rid"]
    answer = await opened(service)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://shop.example.com/summer"


async def test_a_change_that_wechat_refuses_falls_back_and_a_failed_renewal_does_not(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    link = await added(service)
    await renewed(jobs, link)
    await service.api("POST", f"links/{link['id']}/renew")
    wechat.strike(URL_LINK, errcode=85079, count=1)
    await renewed(jobs, link)
    found = await service.read(f"links/{link['id']}")
    assert found["problem"]["errcode"] == 85079
    assert found["url_link"] is not None

    await service.api("PUT", f"links/{link['id']}", json=body(path="pages/unknown"))
    assert (await service.read(f"links/{link['id']}"))["url_link"] is not None
    await renewed(jobs, link)
    assert (await service.read(f"links/{link['id']}"))["url_link"] is None


async def test_a_fault_of_the_account_takes_no_page_from_visitors(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    link = await added(service)
    await renewed(jobs, link)
    before = (await service.read(f"links/{link['id']}"))["url_link"]
    await service.api("PUT", f"links/{link['id']}", json=body(path="pages/other"))
    wechat.strike(URL_LINK, errcode=40164, count=1)
    await renewed(jobs, link)

    found = await service.read(f"links/{link['id']}")
    assert found["problem"]["errcode"] == 40164
    assert found["url_link"] == before


@pytest.mark.parametrize(
    "fault",
    [{"drop": "before"}, {"drop": "after"}, {"status": 502}, {"body": "<html>"}, {"errcode": -1}],
)
async def test_a_failure_is_tried_again_seconds_later(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, fault: dict[str, object]
) -> None:
    link = await added(service)
    wechat.strike(URL_LINK, count=1, **fault)
    await renewed(jobs, link)
    await renewed(jobs, link)
    assert (await service.read(f"links/{link['id']}"))["url_link"] is None

    clock.advance(timedelta(seconds=5))
    await renewed(jobs, link)
    assert (await service.read(f"links/{link['id']}"))["url_link"] is not None


async def test_a_used_up_day_stops_the_mini_program_until_midnight_in_shanghai(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    one, two = await added(service), await added(service, slug="other")
    wechat.strike(URL_LINK, errcode=44993, count=1)
    await renewed(jobs, one)
    await renewed(jobs, two)

    assert len(wechat.calls(URL_LINK)) == 1
    found = await service.read(f"links/{two['id']}")
    assert found["renew_at"][11:19] == "16:00:00"
    clock.advance(timedelta(days=1))
    await renewed(jobs, two)
    assert (await service.read(f"links/{two['id']}"))["url_link"] is not None


async def test_processes_together_keep_to_the_limits_of_a_second_and_a_day(
    database: Database, database_url: str, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MAX_A_SECOND", 6)
    monkeypatch.setattr(quota, "MAX_A_DAY", 8)
    other = open_database(database_url)

    async def take(count: int) -> list[quota.UsedUp | None]:
        now = clock.now()
        calls = [
            quota.take(one.sessions, CARD_APPID, now)
            for _ in range(count)
            for one in (database, other)
        ]
        return list(await asyncio.gather(*calls))

    first = await take(5)
    assert first.count(None) == 6
    assert not any(found.for_today for found in first if found is not None)
    clock.advance(timedelta(seconds=1))
    second = await take(2)
    assert second.count(None) == 2
    assert all(found.for_today for found in second if found is not None)
    clock.advance(timedelta(days=1))
    assert (await take(1)) == [None, None]
    await other.close()


async def test_a_deleted_link_is_not_asked_for(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    link = await added(service)
    assert (await service.api("DELETE", f"links/{link['id']}")).status_code == 204
    await renewed(jobs, link)

    assert wechat.calls(URL_LINK) == []
    assert (await opened(service)).status_code == 404
