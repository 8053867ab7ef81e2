"""Replies that are owed, and what became of them."""

from uuid import UUID

import asyncpg

from app.worker import Jobs
from tests.service import OPENID, Json, Service, WeChat, message, rows


async def owed(service: Service, wechat: WeChat, *replies: Json, openid: str = OPENID) -> UUID:
    """Let a rule owe these replies to a follower who has just written; return the callback's id."""
    rules = await service.read("rules")
    for rule in rules["items"]:
        await service.api("DELETE", f"rules/{rule['id']}")
    await service.add_rule(*replies)
    return await written(service, wechat, openid=openid)


async def written(service: Service, wechat: WeChat, *, openid: str = OPENID) -> UUID:
    """Let a follower write what the rule waits for; return the callback's id."""
    wechat.open_window(openid)
    answer = await service.push(message(service.clock, openid=openid))
    assert answer.status_code == 200, answer.text
    page = await service.read("replies", openid=openid, limit=1)
    return UUID(page["items"][0]["callback_id"])


async def deliver(jobs: Jobs, callback_id: UUID) -> None:
    """Run the job of one callback."""
    await jobs.deliver({"callback_id": str(callback_id)})


async def fates(connection: asyncpg.Connection) -> list[Json]:
    """Return status, errcode and attempts of every queued reply, oldest first."""
    return await rows(
        connection,
        "SELECT status, errcode, attempts FROM replies WHERE via = 'customer_service' ORDER BY id",
    )


async def statuses(connection: asyncpg.Connection) -> list[str]:
    """Return the status of every queued reply, oldest first."""
    return [fate["status"] for fate in await fates(connection)]
