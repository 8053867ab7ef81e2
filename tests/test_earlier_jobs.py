"""Jobs and schedules that a release before the renaming has queued are run by today's worker."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from standardwebhooks import Webhook

from app.settings import Settings
from app.worker import Jobs, Worker, entrypoints
from tests.before_renaming import SECRET_KEY, go_to_upgrade, insert, leave_spool, stored
from tests.callback.makers import drained
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    WeChat,
    WorldClock,
    clock,
    column,
    jobs,
    rows,
    running,
    settings_for,
    wechat,
)
from tests.waiting import eventually
from tests.webhooks.receiver import Received, Receiver, receiving

__all__ = ["clock", "jobs", "wechat"]

NAMES = {
    *("replies.deliver", "identity.resolve", "feed.deliver"),
    *("privacy.erase", "privacy.check"),
}
SCHEDULES = "SELECT id, entrypoint, expression FROM pgqueuer_schedules ORDER BY id"
QUEUE = """
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key, execute_after)
VALUES ($1, $2, $3, $4, $5, now()) RETURNING id
"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that let webhooks reach this machine, with the key of the earlier release."""
    return settings_for(
        database_url,
        tmp_path,
        webhook_allow_http=True,
        webhook_allow_private=True,
        webhook_secret_key=SECRET_KEY,
    )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint that accepts everything."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def queued(
    settings: Settings, clock: WorldClock, connection: asyncpg.Connection, receiver: Receiver
) -> list[int]:
    """The earlier release's rows of PgQueuer, and the rows that they name; return the jobs' ids."""
    go_to_upgrade(clock)
    leave_spool(settings.data_dir)
    await insert(connection, "rules", stored("rules.json"))
    hooks = [hook | {"url": receiver.url} for hook in stored("webhooks.json")["rows"]]
    await insert(connection, "webhooks", hooks)
    async with running(settings, clock) as service:
        await eventually(drained(service.inbox))
    await connection.execute("DELETE FROM pgqueuer")
    await insert(
        connection,
        "pgqueuer_schedules",
        [one | {"next_run": "2026-11-24T12:01:00Z"} for one in stored("jobs.json")["schedules"]],
    )
    return [await _queue(connection, job) for job in stored("jobs.json")["jobs"]]


async def _queue(connection: asyncpg.Connection, job: Json) -> int:
    number: int = await connection.fetchval(
        QUEUE,
        job["priority"],
        job["status"],
        job["entrypoint"],
        json.dumps(job["payload"]).encode(),
        job["dedupe_key"],
    )
    return number


@asynccontextmanager
async def working(jobs: Jobs) -> AsyncIterator[None]:
    worker = Worker(jobs)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def test_every_queued_job_is_done(
    queued: list[int],
    jobs: Jobs,
    wechat: WeChat,
    connection: asyncpg.Connection,
    receiver: Receiver,
) -> None:
    for openid in (OPENID, OTHER_OPENID):
        wechat.state.meet(APPID, openid).follow(wechat.state.clock.now())
        wechat.open_window(openid)

    async def done() -> bool:
        left = "SELECT count(*) FROM pgqueuer WHERE id = ANY($1)"
        erasing = "SELECT count(*) FROM erasures WHERE finished_at IS NULL"
        jobs_left = await column(connection, left, queued)
        erasures_left = await column(connection, erasing)
        return (jobs_left, erasures_left) == ([0], [0])

    async with working(jobs):
        await eventually(done)

    assert await logged(connection, queued, "successful") == queued
    assert await logged(connection, queued, "exception") == []
    titles = [line["content"]["title"] for line in wechat.sent()]
    assert sorted(titles) == ["Coupon", "Shop"]
    known = "SELECT unionid FROM openids WHERE openid = $1"
    assert None not in await column(connection, known, OPENID)
    assert await column(connection, "SELECT count(*) FROM late_pushes") == [0]
    assert None not in await column(connection, "SELECT finished_at FROM erasures")
    assert {one.json["type"] for one in receiver.received} >= {"follow.created", "scan.created"}
    assert all(is_signed(one, stored("webhooks.json")["secret"]) for one in receiver.received)


async def logged(connection: asyncpg.Connection, jobs: list[int], status: str) -> list[int]:
    """Return those of the jobs that have once had this status."""
    return list(
        await column(
            connection,
            "SELECT DISTINCT job_id FROM pgqueuer_log "
            "WHERE job_id = ANY($1) AND status::text = $2 ORDER BY 1",
            jobs,
            status,
        )
    )


def is_signed(request: Received, secret: str) -> bool:
    """Tell whether a request has the signature of its own, long past, moment."""
    moment = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    expected = Webhook(secret).sign(request.id, moment, request.body.decode())
    return request.headers["webhook-signature"] == expected


def test_every_name_of_the_earlier_release_is_registered(jobs: Jobs) -> None:
    kept = {job["entrypoint"] for job in stored("jobs.json")["jobs"]}

    assert kept == NAMES
    assert entrypoints(jobs).keys() >= NAMES


@pytest.mark.usefixtures("queued")
async def test_every_schedule_goes_on_under_its_name(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    earlier = await rows(connection, SCHEDULES)

    async def all_have_run() -> bool:
        ran = "SELECT count(*) FROM pgqueuer_schedules WHERE id = ANY($1) AND last_run IS NOT NULL"
        ids = [one["id"] for one in earlier]
        return await column(connection, ran, ids) == [len(earlier)]

    async with working(jobs):
        await eventually(all_have_run)

    assert [one for one in await rows(connection, SCHEDULES) if one in earlier] == earlier
