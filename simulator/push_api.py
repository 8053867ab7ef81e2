"""Control calls that make WeChat push to the service."""

import asyncio
import secrets

import httpx
from fastapi import APIRouter

from app.wechat.crypto import signature
from simulator.callers import JsonObject
from simulator.control_api import account_named
from simulator.envelopes import new_stamp
from simulator.push import begin
from simulator.push_request import PushBatch, PushRequest
from simulator.state import State, StateDep

router = APIRouter(prefix="/_sim")


@router.post("/push")
async def push(request: PushRequest, state: StateDep) -> JsonObject:
    """Push once. The response comes after the last delivery, or at once with `wait` false."""
    return await carry_out(request, state)


@router.post("/push/batch")
async def push_batch(batch: PushBatch, state: StateDep) -> list[JsonObject]:
    """Push several documents in order. The response comes after the last delivery."""
    gate = asyncio.Semaphore(batch.concurrency)

    async def one(request: PushRequest) -> JsonObject:
        async with gate:
            return await carry_out(request, state)

    return await asyncio.gather(*(one(request) for request in batch.pushes))


@router.post("/push/wait")
async def wait_for_pushes(state: StateDep) -> JsonObject:
    """Wait for all pushes that were started with `wait` false."""
    await asyncio.gather(*state.pending)
    return {"pending_pushes": len(state.pending)}


@router.get("/verify-url")
async def verify_url(
    state: StateDep, appid: str | None = None, echostr: str | None = None
) -> JsonObject:
    """Check the callback URL as the console does when it is saved. Source: protocol 1.2."""
    account = account_named(state, appid)
    stamp = new_stamp(state.clock.wall())
    expected = echostr or str(secrets.randbelow(10**18))
    query = {
        "signature": signature(account.token, stamp.timestamp, stamp.nonce),
        "timestamp": stamp.timestamp,
        "nonce": stamp.nonce,
        "echostr": expected,
    }
    try:
        async with asyncio.timeout(account.delivery.timeout_seconds):
            response = await state.client.get(
                account.callback(), params=query, timeout=account.delivery.timeout_seconds
            )
    except (TimeoutError, httpx.TransportError, OSError) as error:
        return {"ok": False, "status": None, "reason": type(error).__name__}
    ok = response.status_code == httpx.codes.OK and response.content == expected.encode()
    return {"ok": ok, "status": response.status_code, "reason": None if ok else "echostr"}


async def carry_out(request: PushRequest, state: State) -> JsonObject:
    """Push, and wait for the end or leave the deliveries to a task in `pending`."""
    started = begin(request, account_named(state, request.appid), state)
    if request.wait:
        return await started.run()
    task = asyncio.create_task(started.run())
    state.pending.add(task)
    task.add_done_callback(state.pending.discard)
    return {"push_id": started.entry.id}
