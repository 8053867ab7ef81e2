"""Webhooks, events to tell of, and a worker that runs until nothing is left to do now."""

import asyncpg
import orjson

from app.worker import Jobs
from tests.service import OPENID, Json, Service, event, rows
from tests.webhooks.receiver import Receiver

TAKE = """
DELETE FROM pgqueuer WHERE entrypoint = 'feed.deliver' AND status = 'queued'
RETURNING payload
"""


async def hook(service: Service, receiver: Receiver, **more: object) -> Json:
    """Add a webhook to the receiver; return it with its secret."""
    answer = await service.api("POST", "webhooks", json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def follow(service: Service, openid: str = OPENID, **more: object) -> None:
    """Let somebody follow the account."""
    await service.push(event(service.clock, "subscribe", openid=openid, **more))


async def followers(service: Service, number: int, *, first: int = 0) -> list[str]:
    """Let so many people follow, one after the other; return their OpenIDs."""
    openids = [f"oPERSON{which:022d}" for which in range(first, first + number)]
    for openid in openids:
        await follow(service, openid)
    return openids


async def work(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Ring, and run the feed's jobs until none is queued."""
    await jobs.dispatch_webhooks()
    while queued := await connection.fetch(TAKE):
        for job in queued:
            await jobs.deliver_webhook(orjson.loads(job["payload"]))


async def deliveries(connection: asyncpg.Connection) -> list[Json]:
    """Return what became of each delivery, in the order in which they were made."""
    return await rows(
        connection,
        "SELECT type, status, attempts, status_code, error FROM webhook_deliveries ORDER BY id",
    )


async def statuses(connection: asyncpg.Connection) -> list[str]:
    """Return the status of each delivery, in the order in which they were made."""
    return [one["status"] for one in await deliveries(connection)]
