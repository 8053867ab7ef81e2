"""The feed as workers run it: several at once, and killed in the middle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from app.db.engine import open_database
from app.worker import Jobs, Worker
from tests.processes import free_port, run_process
from tests.service import ACCOUNT, APPID, Service, WeChat, jobs_of
from tests.waiting import PATIENCE_SECONDS, eventually
from tests.webhooks.makers import followers, hook, statuses, work
from tests.webhooks.receiver import Receiver


@asynccontextmanager
async def working(jobs: Jobs) -> AsyncIterator[Worker]:
    worker = Worker(jobs)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


def got(receiver: Receiver, number: int) -> Callable[[], Awaitable[bool]]:
    """Look for so many different events."""

    async def look() -> bool:
        return len({one.id for one in receiver.received}) >= number

    return look


async def test_a_worker_tells_by_itself(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)

    async def done() -> bool:
        return await statuses(connection) == ["delivered"] * 3

    async with working(jobs):
        openids = await followers(service, 2)
        await service.api("POST", f"webhooks/{webhook['id']}/test")
        await eventually(done)

    follows = [one.json for one in receiver.received if one.json["type"] == "follow.created"]
    assert [one["data"]["openid"] for one in follows] == openids
    assert len(receiver.received) == 3


async def test_two_workers_send_each_event_once_and_in_order(
    service: Service, jobs: Jobs, wechat: WeChat, receiver: Receiver
) -> None:
    await hook(service, receiver)
    other = open_database(service.settings.database_url)
    async with working(jobs), working(jobs_of(service.settings, other, wechat)):
        openids = await followers(service, 120)
        await eventually(got(receiver, 120))
    await other.close()

    assert [one.json["data"]["openid"] for one in receiver.received] == openids


async def test_two_runs_of_one_webhook_at_once_send_each_event_once(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    openids = await followers(service, 20)
    payload = {"webhook_id": webhook["id"]}

    await asyncio.gather(*(jobs.deliver_webhook(payload) for _ in range(4)))

    assert [one.json["data"]["openid"] for one in receiver.received] == openids
    assert await statuses(connection) == ["delivered"] * 20


async def test_a_run_that_lost_its_turn_leaves_the_other_one_to_it(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    await followers(service, 2)
    receiver.holding = asyncio.Event()
    slow = asyncio.create_task(jobs.deliver_webhook({"webhook_id": webhook["id"]}))
    await eventually(got(receiver, 1))
    taken_over = UUID(int=7)
    await connection.execute("UPDATE webhooks SET lease = $1", taken_over)
    receiver.holding.set()
    await slow

    assert len(receiver.received) == 1
    assert await connection.fetchval("SELECT lease FROM webhooks") == taken_over
    assert await statuses(connection) == ["delivered", "waiting"]


async def test_a_replay_in_the_middle_of_a_run_is_not_undone_by_it(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    openids = await followers(service, 3)
    receiver.holding = asyncio.Event()
    running = asyncio.create_task(jobs.deliver_webhook({"webhook_id": webhook["id"]}))
    await eventually(got(receiver, 1))

    await service.api("POST", f"webhooks/{webhook['id']}/replay", json={"from": 1})
    receiver.holding.set()
    await running
    await work(jobs, connection)

    sent = Counter(one.json["data"]["openid"] for one in receiver.received)
    assert sent == Counter([openids[0], *openids])
    assert await statuses(connection) == ["replaced"] * 3 + ["delivered"] * 3


async def test_a_worker_that_is_killed_while_sending_loses_nothing(
    service: Service, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """The clock of the killed worker's lease is set on by hand; its job's is waited for."""
    await hook(service, receiver)
    openids = await followers(service, 5)
    port = free_port()
    # In a folder where no `.env` of the developer is read.
    folder = service.settings.data_dir
    environment = {
        "PYTHONPATH": str(Path.cwd()),
        "DATABASE_URL": service.settings.database_url,
        "DATA_DIR": str(folder),
        "WECHAT_APPID": APPID,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key or "",
        "WECHAT_API_BASE_URL": "http://127.0.0.1:1",
        "WEBHOOK_ALLOW_HTTP": "true",
        "WEBHOOK_ALLOW_PRIVATE": "true",
        "WORKER_METRICS_PORT": str(port),
    }
    receiver.holding = asyncio.Event()
    command = ["-c", "from app.cli.main import main; main()", "worker"]
    with run_process(command, port=port, environment=environment, folder=folder) as process:
        await eventually(got(receiver, 1))
        process.kill()
        process.wait()
    receiver.holding.set()
    await connection.execute("UPDATE webhooks SET leased_until = $1", datetime.now(UTC))

    with run_process(command, port=port, environment=environment, folder=folder):
        await eventually(got(receiver, 5))

    sent = Counter(one.json["data"]["openid"] for one in receiver.received)
    assert sent == Counter([openids[0], *openids])
