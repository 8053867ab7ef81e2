"""Sends one text message end to end, and collects what the service and the simulator report."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx

from simulator import demo
from simulator.playground.errors import PlaygroundError
from simulator.playground.rules import KEYWORD

CARD_SECONDS = 20.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened to the message. card_ms: milliseconds from the message to the card."""

    push: dict[str, Any]
    rule: dict[str, Any]
    card: dict[str, Any]
    card_ms: float


async def send_message(service: httpx.AsyncClient, simulator: httpx.AsyncClient) -> Trace:
    """Send a message from a follower and wait for the card. Raises PlaygroundError without one."""
    started = time.monotonic()
    answer = await simulator.post("/_sim/push", json={"text": KEYWORD}, timeout=30)
    push: dict[str, Any] = answer.raise_for_status().json()
    card = await _card_after(push, simulator, started + CARD_SECONDS)
    card_ms = (time.monotonic() - started) * 1000
    if card is None:
        raise PlaygroundError(await _why_no_card(service))
    return Trace(push, await _rule_behind(service), card, card_ms)


async def _card_after(
    push: dict[str, Any], simulator: httpx.AsyncClient, deadline: float
) -> dict[str, Any] | None:
    path = f"/_sim/followers/{push['openid']}/inbox"
    while time.monotonic() < deadline:
        lines = (await simulator.get(path, params={"after": push["push_id"]})).json()
        for line in lines:
            if line["msgtype"] == "miniprogrampage" and line["via"] == "customer_service":
                return dict(line)
        await asyncio.sleep(POLL_SECONDS)
    return None


async def _newest_card_reply(service: httpx.AsyncClient) -> dict[str, Any] | None:
    query: dict[str, str | int] = {"openid": demo.OPENIDS[0], "limit": 20}
    page = (await service.get("/api/replies", params=query)).raise_for_status().json()
    cards = (reply for reply in page["items"] if reply["msgtype"] == "miniprogrampage")
    return next(cards, None)


async def _rule_behind(service: httpx.AsyncClient) -> dict[str, Any]:
    reply = await _newest_card_reply(service)
    rule_id = None if reply is None else reply["rule_id"]
    answer = await service.get(f"/api/rules/{rule_id}")
    return dict(answer.raise_for_status().json())


async def _why_no_card(service: httpx.AsyncClient) -> str:
    reply = await _newest_card_reply(service)
    if reply is None:
        return f"no card came: no rule answers {KEYWORD} with one (look at /api/rules)"
    return (
        f"no card came within {CARD_SECONDS:.0f} s: "
        f"it is {reply['status']}, {reply['errcode']} {reply['errmsg'] or ''}"
    )
