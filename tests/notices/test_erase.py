"""Notices of people who are erased, and contents that are old."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.notices import erase
from app.notices.queue_audience import queue_audience
from app.tombstones.subject import ErasureSubject
from app.worker import Jobs
from tests.lock_waits import backend_waits
from tests.notices.makers import decided, queued, run, started
from tests.service import APPID, OPENID, OTHER_OPENID, Service, WeChat, event, rows
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("everything", [True, False])
async def test_an_unfollow_ends_what_waits_and_clears_what_was_said(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    everything: bool,
) -> None:
    if everything:
        service.settings.__dict__["on_unfollow"] = "everything"
        jobs.settings.__dict__["on_unfollow"] = "everything"
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid)
    await run(jobs, (await queued(service))["send_id"])
    await queued(service, OPENID, OTHER_OPENID)
    service.clock.advance(timedelta(seconds=5))
    await service.push(event(service.clock, "unsubscribe"))
    (erasure,) = await rows(connection, "SELECT id FROM erasures")
    eraser = jobs.eraser
    if everything:
        object.__setattr__(eraser, "on_unfollow", "everything")
    await jobs.erase({"erasure_id": str(erasure["id"])})

    found = await rows(
        connection, "SELECT openid, status, content IS NULL AS cleared FROM notices ORDER BY id"
    )
    assert [(one["status"], one["cleared"]) for one in found] == [
        ("sent", True),
        ("skipped", True),
        ("pending", False),
    ]
    ids = {one["openid"] for one in found}
    assert (OPENID in ids) is not everything
    assert OTHER_OPENID in ids
    left = await rows(connection, "SELECT openid FROM notice_consents")
    assert [one["openid"] for one in left] == ([] if everything else [OPENID])
    (certificate,) = await rows(connection, "SELECT counts FROM erasures")
    assert '"notices": 2' in certificate["counts"]


async def test_what_a_person_gets_after_the_erased_time_stays(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat)
    await queued(service)
    before = service.clock.now() - timedelta(seconds=1)
    person = ErasureSubject(APPID, OPENID, before, uuid4(), "erased:x", {})
    async with jobs.database.sessions.begin() as session:
        assert await erase.erase_contents(session, person, 10) == 0
        assert await erase.erase_identity(session, person, 10) == 0
    assert [one["openid"] for one in await rows(connection, "SELECT openid FROM notices")] == [
        OPENID
    ]


async def test_old_contents_go_and_figures_stay(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat)
    await run(jobs, (await queued(service))["send_id"])
    await queued(service)
    service.clock.advance(timedelta(days=jobs.settings.retention_days, seconds=1))
    await jobs.retain()
    found = await rows(
        connection, "SELECT status, content IS NULL AS cleared FROM notices ORDER BY id"
    )
    assert found == [
        {"status": "sent", "cleared": True},
        {"status": "pending", "cleared": False},
    ]


async def test_a_filter_names_an_erased_person_no_more(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    await decided(service, wechat)
    send = await started(service, audience={"unionids": ["uONE", "uTWO"]})
    person = ErasureSubject(APPID, OPENID, service.clock.now(), uuid4(), "erased:x", {"uONE": "x"})
    for count in (1, 0):
        async with jobs.database.sessions.begin() as session:
            assert await erase.erase_listed(session, person) == count
    found = await service.read(f"notice-sends/{send['id']}")
    assert found["audience"]["unionids"] == ["erased", "uTWO"]
    await service.api("POST", f"notice-sends/{send['id']}/stop")
    await run(jobs, send["id"])
    assert (await service.read(f"notice-sends/{send['id']}"))["audience"] == {}


@pytest.mark.parametrize("erasure_first", [True, False])
async def test_an_erasure_and_the_queueing_of_an_audience_wait_for_one_another(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    erasure_first: bool,
) -> None:
    """Nobody is queued who is erased, and what was queued is erased with its person."""
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid)
    send = await started(service)
    answer = await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})
    assert answer.status_code == 202, answer.text
    erase_person = partial(jobs.erase, {"erasure_id": answer.json()["id"]})
    queue = partial(queue_audience, jobs.database.sessions, service.clock, UUID(send["id"]), APPID)
    # Who comes first has the lock, and waits for a row that is held here.
    first, second, held = erase_person, queue, "consents"
    if not erasure_first:
        first, second, held = queue, erase_person, "notice_sends"
    async with connection.transaction():
        await connection.execute(f"SELECT FROM {held} FOR UPDATE")
        running = asyncio.create_task(first())
        await eventually(backend_waits(connection))
        waiting = asyncio.create_task(second())
        await eventually(backend_waits(connection, "%advisory_xact_lock%"))
    await asyncio.gather(running, waiting)

    found = await rows(connection, "SELECT openid, status FROM notices ORDER BY status")
    assert OPENID not in {one["openid"] for one in found}
    assert found[0] == {"openid": OTHER_OPENID, "status": "pending"}
    assert [one["status"] for one in found[1:]] == ([] if erasure_first else ["skipped"])
