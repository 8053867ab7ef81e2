"""Sends to audiences: who is counted and queued, how they go on, and what a kill costs."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.notices import store
from app.notices.queue_audience import queue_audience
from app.notices.sweep import sweep
from app.settings import Settings
from app.worker import Jobs
from simulator.faults import Drop
from tests.notices.makers import (
    BIZSEND,
    MESSAGE,
    NEWS,
    PARCEL,
    TEMPLATE_SEND,
    add_people,
    audience,
    bodies_of,
    decided,
    queued,
    run,
    run_to_the_end,
    started,
    statuses,
)
from tests.service import (
    ACCOUNT,
    APPID,
    Json,
    Service,
    WeChat,
    WorldClock,
    column,
    jobs_of,
    rows,
)
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio


async def count(service: Service, template_id: str = PARCEL, **wanted: object) -> int:
    body = {"appid": APPID, "template_id": template_id, "audience": wanted}
    answer = await service.api("POST", "notice-sends/count", json=body)
    assert answer.status_code == 200, answer.text
    people: int = answer.json()["people"]
    return people


@pytest.mark.parametrize(("chunk", "most_read"), [(10_000, 100_000), (2, 3)])
async def test_the_filter_counts_and_queues_the_same_people(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
    chunk: int,
    most_read: int,
) -> None:
    monkeypatch.setattr("app.notices.audience.CHUNK", chunk)
    monkeypatch.setattr("app.notices.audience.MAX_READ", most_read)
    await add_people(connection, wechat, 5)
    await add_people(connection, wechat, 3, following=False, prefix="oLeft")
    await add_people(connection, wechat, 2, template_id=NEWS, prefix="oNews")
    await connection.execute("UPDATE followers SET scene = 'other' WHERE openid = 'oP0001'")
    await connection.execute(
        "UPDATE openids SET last_seen_at = last_seen_at - interval '9 days' WHERE openid = 'oP0002'"
    )
    await connection.execute(
        "INSERT INTO notice_consents VALUES ($1, 'oP0003', $2, 1, 0)", APPID, PARCEL
    )
    await connection.execute("UPDATE openids SET unionid_source = 'report' WHERE openid = 'oP0004'")
    await connection.execute("UPDATE openids SET unionid = 'uTwo' WHERE openid LIKE 'oLeft000_'")
    await connection.execute(
        "UPDATE openids SET last_seen_at = last_seen_at + interval '1 day' "
        "WHERE openid = 'oLeft0001'"
    )
    since = (clock.now() - timedelta(days=8)).isoformat()
    filters: list[tuple[Json, int]] = [
        ({}, 7),
        ({"following": True}, 4),
        ({"following": False}, 3),
        ({"scene": "store"}, 6),
        ({"scene": "store", "following": True}, 3),
        ({"unionids": ["uTwo"]}, 1),
        ({"unionids": ["uTwo", "uoP0000"], "following": False}, 1),
        ({"seen_since": since}, 6),
        ({"seen_before": since}, 1),
        ({"unionids": ["uoP0000", "uoP0003", "uoP0004", "uTwo", "uNobody"]}, 2),
        ({"unionids": ["uoP0000", "uoP0002"], "seen_since": since, "following": True}, 1),
    ]
    for wanted, people in filters:
        assert await count(service, **wanted) == people, wanted
        send = await started(service, audience=wanted)
        await queue_audience(jobs.database.sessions, clock, UUID(send["id"]), APPID)
        found = await service.read(f"notice-sends/{send['id']}")
        assert found["total"] == people, wanted
        assert "unionids" not in found["audience"]
    assert await count(service, NEWS) == 2
    assert await count(service, NEWS, unionids=["uoNews0001"]) == 1
    assert await count(service, MESSAGE) == 7
    assert await count(service, MESSAGE, following=False) == 7


async def test_an_audience_gets_the_notice_at_the_rate_of_the_send(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    people = await add_people(connection, wechat, 12)
    send = await started(service, rate=5, audience={"following": True})
    assert (send["state"], send["total"], send["queued_at"]) == ("running", 0, None)

    assert await run(jobs, send["id"])
    assert len(wechat.state.notices.sent) == 5
    assert await run(jobs, send["id"])  # no time has passed
    assert len(wechat.state.notices.sent) == 5
    await run_to_the_end(jobs, send["id"], clock)

    assert sorted(str(one["touser"]) for one in bodies_of(wechat)) == people
    found = await service.read(f"notice-sends/{send['id']}")
    assert (found["state"], found["total"], found["counts"]) == ("done", 12, {"sent": 12})
    assert found["ended_at"] is not None
    page = await service.read("notice-sends")
    assert page == {"items": [found], "next": None}
    notices = await service.read("notices", send_id=send["id"], status="sent", limit=10)
    more = await service.read("notices", send_id=send["id"], status="sent", before=notices["next"])
    assert len({one["id"] for one in notices["items"] + more["items"]}) == 12


async def test_a_kill_at_any_point_sends_nothing_twice_and_skips_nobody(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    settings: Settings,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker dies after each call of the database, and in calls of WeChat."""
    monkeypatch.setattr("app.notices.audience.CHUNK", 3)
    people = await add_people(connection, wechat, 10)
    send = await started(service)
    wechat.strike(BIZSEND, latency_seconds=0.02)
    for wait in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.13, 0.16, 0.2):
        worker = jobs_of(settings, jobs.database, wechat)
        running = asyncio.create_task(run(worker, send["id"]))
        await asyncio.sleep(wait)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        clock.advance(timedelta(seconds=1))
    clock.advance(store.LEASE + timedelta(seconds=1))
    await sweep(jobs.database.sessions, clock)
    await run_to_the_end(jobs, send["id"], clock)

    assert await column(connection, "SELECT openid FROM notices ORDER BY openid") == people
    assert set(await statuses(connection)) <= {"sent", "unknown"}
    called = [str(one["touser"]) for one in bodies_of(wechat)]
    assert len(called) == len(set(called))
    sent = await column(connection, "SELECT openid FROM notices WHERE status = 'sent'")
    assert set(sent) <= set(called)
    assert len(await column(connection, "SELECT 1 FROM notice_consents WHERE reserved = 1")) == 10


async def test_a_chunk_that_was_not_committed_is_queued_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.notices.audience.CHUNK", 4)
    people = await add_people(connection, wechat, 9)
    send = await started(service)
    await connection.execute(
        "ALTER TABLE notices ADD CONSTRAINT refused CHECK (openid <> 'oP0006') NOT VALID"
    )
    with pytest.raises(Exception, match="refused"):
        await run(jobs, send["id"])
    found = await service.read(f"notice-sends/{send['id']}")
    assert (found["total"], found["queued_at"]) == (4, None)
    await connection.execute("ALTER TABLE notices DROP CONSTRAINT refused")
    await asyncio.gather(run(jobs, send["id"]), run(jobs, send["id"]))
    await run_to_the_end(jobs, send["id"], clock)

    assert await column(connection, "SELECT openid FROM notices ORDER BY openid") == people
    assert sorted(str(one["touser"]) for one in bodies_of(wechat)) == people


async def test_a_send_is_paused_resumed_and_stopped(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    async def change(verb: str, status: int = 200) -> Json:
        answer = await service.api("POST", f"notice-sends/{send['id']}/{verb}")
        assert answer.status_code == status, answer.text
        changed: Json = answer.json()
        return changed

    await add_people(connection, wechat, 9)
    send = await started(service, rate=3)
    await run(jobs, send["id"])
    assert (await change("pause"))["state"] == "paused"
    assert "is paused" in (await change("pause", 409))["detail"]
    clock.advance(timedelta(seconds=1))
    assert not await run(jobs, send["id"])
    assert len(wechat.state.notices.sent) == 3

    await change("resume")
    await run(jobs, send["id"])
    assert len(wechat.state.notices.sent) == 6
    await change("stop")
    assert not await run(jobs, send["id"])
    found = await service.read(f"notice-sends/{send['id']}")
    assert (found["state"], found["counts"]) == ("stopped", {"sent": 6, "skipped": 3})
    assert "is stopped" in (await change("resume", 409))["detail"]
    actions = await column(connection, "SELECT action FROM audit_log ORDER BY id")
    assert actions == [
        "templates.read",
        "notices.started",
        "notices.paused",
        "notices.resumed",
        "notices.stopped",
    ]
    missing = await service.api("POST", "notice-sends/00000000-0000-0000-0000-000000000000/pause")
    assert missing.status_code == 404


async def test_a_pause_during_a_run_takes_effect_within_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await add_people(connection, wechat, 60)
    send = await started(service)
    wechat.strike(BIZSEND, latency_seconds=0.2, count=1)
    wechat.strike(BIZSEND, latency_seconds=0.05)
    running = asyncio.create_task(run(jobs, send["id"]))
    await eventually(lambda: _struck(wechat))
    await service.api("POST", f"notice-sends/{send['id']}/pause")
    assert not await running
    assert len(wechat.state.notices.sent) < 60


async def _struck(wechat: WeChat) -> bool:
    return len(wechat.state.faults.active) < 2


async def test_what_wechat_refuses_of_every_notice_pauses_the_send(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.notices.send.CALLS_AT_ONCE", 1)
    await add_people(connection, wechat, 5)
    send = await started(service)
    wechat.strike(BIZSEND, errcode=43101, count=1)
    wechat.strike(BIZSEND, errcode=45168)
    assert not await run(jobs, send["id"])
    found = await service.read(f"notice-sends/{send['id']}", language="zh")
    assert (found["state"], found["counts"]) == ("paused", {"failed": 1, "pending": 4})
    assert found["problem"]["errcode"] == 45168
    assert "敏感词" in found["problem"]["meaning"]

    wechat.state.faults.clear()
    await service.api("POST", f"notice-sends/{send['id']}/resume")
    clock.advance(timedelta(seconds=1))
    await run_to_the_end(jobs, send["id"], clock)
    found = await service.read(f"notice-sends/{send['id']}")
    assert (found["state"], found["counts"]) == ("done", {"failed": 1, "sent": 4})
    assert found["problem"] is None


async def test_who_was_refused_is_tried_after_the_others(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An errcode that is not known may concern one person, who must not hold up the others."""
    monkeypatch.setattr("app.notices.send.CALLS_AT_ONCE", 1)
    await add_people(connection, wechat, 3)
    send = await started(service)
    wechat.strike(BIZSEND, errcode=41028, count=1)
    clock.advance(timedelta(seconds=1))
    await run(jobs, send["id"])
    (refused,) = await column(connection, "SELECT openid FROM notices WHERE attempts = 1")

    await service.api("POST", f"notice-sends/{send['id']}/resume")
    await run_to_the_end(jobs, send["id"], clock)
    called = [one["touser"] for one in bodies_of(wechat)]
    assert (len(called), called[-1]) == (3, refused)


async def test_an_audience_leaves_a_tenth_of_the_quota_to_others(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    wanted: Json = {"template_id": MESSAGE, "data": {"character_string1": "K-1"}}
    people = await add_people(connection, wechat, 5, template_id=None)
    used = {TEMPLATE_SEND: 89_997}
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"quota_used": used})
    send = await started(service, **wanted)
    assert await run(jobs, send["id"])
    assert len(wechat.calls(TEMPLATE_SEND)) == 3

    used[TEMPLATE_SEND] = 90_000
    clock.advance(timedelta(minutes=2))
    assert await run(jobs, send["id"])
    clock.advance(timedelta(minutes=2))
    assert await run(jobs, send["id"])
    assert len(wechat.calls(TEMPLATE_SEND)) == 3
    found = await service.read(f"notice-sends/{send['id']}")
    assert found["wait_until"] is not None
    assert not await run(jobs, (await queued(service, people[0], **wanted))["send_id"])
    assert len(wechat.calls(TEMPLATE_SEND)) == 4  # a single notice may use the rest

    used[TEMPLATE_SEND] = 0
    clock.advance(timedelta(days=1))
    await run_to_the_end(jobs, send["id"], clock)
    assert len(wechat.calls(TEMPLATE_SEND)) == 6


async def test_an_unknown_outcome_in_an_audience_is_not_repeated(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    people = await add_people(connection, wechat, 4)
    send = await started(service)
    wechat.strike(BIZSEND, drop=Drop.AFTER, count=2)
    await run_to_the_end(jobs, send["id"], clock)
    assert sorted(await statuses(connection)) == ["sent", "sent", "unknown", "unknown"]
    assert sorted(str(one["touser"]) for one in bodies_of(wechat)) == people


async def test_a_send_is_started_once_for_each_key_and_within_its_bounds(
    service: Service,
    wechat: WeChat,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def start(key: str, **changes: object) -> httpx.Response:
        headers = {"authorization": "Bearer an-admin-token-of-the-tests", "idempotency-key": key}
        return await service.http.post(
            "/api/notice-sends", headers=headers, json=audience(**changes)
        )

    await add_people(connection, wechat, 3)
    answers = await asyncio.gather(*(start("moved-1") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await start("moved-1", rate=1)).status_code == 409

    too_many = await start("moved-2", max_recipients=2)
    assert too_many.status_code == 409
    assert "has 3 people" in too_many.json()["detail"]
    wrong = await start("moved-3", data={"thing3": "x"})
    assert [one["loc"] for one in wrong.json()["detail"]] == [
        ["body", "data", "character_string1"],
        ["body", "data", "time5"],
    ]
    dates = {"seen_since": "2026-02-01T00:00:00Z", "seen_before": "2026-01-01T00:00:00Z"}
    assert (await start("moved-4", audience=dates)).status_code == 422
    monkeypatch.setattr("app.notices.audience_store.MAX_OPEN_SENDS", 1)
    assert "stop one" in (await start("moved-5")).json()["detail"]
    assert await rows(connection, "SELECT count(*) FROM notice_sends") == [{"count": 1}]


async def test_a_consent_that_is_used_meanwhile_is_not_used_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    await decided(service, wechat)
    send = await started(service)
    await run(jobs, (await queued(service))["send_id"])
    await run_to_the_end(jobs, send["id"], clock)
    assert sorted(await statuses(connection)) == ["sent"]
    assert len(wechat.calls(BIZSEND)) == 1
