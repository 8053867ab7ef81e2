"""kill -9 of web processes and workers in the middle of a run."""

import asyncio
import logging

from tests.e2e.peer import acknowledged, texts
from tests.e2e.stack import Stack
from tests.waiting import eventually

GROUP = "kill"
PUSHES = 300

log = logging.getLogger(__name__)


async def test_kill_9_of_web_and_worker_loses_nothing_that_was_acknowledged(stack: Stack) -> None:
    # Sends take a while, so that the worker dies with many of them under way.
    await stack.peer.fault("message/custom/send", latency_seconds=0.1)
    pushes = texts(stack.urls, PUSHES, group=GROUP)
    running = asyncio.create_task(stack.peer.push_all(pushes, concurrency=8))

    await _cards_shown(stack, 30)
    for victim in (stack.workers[0], stack.webs[0]):
        victim.kill()
        await asyncio.to_thread(victim.restart)
    await _cards_shown(stack, 150)
    for victim in (stack.webs[1], stack.workers[1]):
        victim.kill()
        await asyncio.to_thread(victim.restart)
    pushed = await running
    promised = {push["openid"] for push in pushed if acknowledged(push)}

    async def are_stored() -> bool:
        return promised <= (await stack.tables.callbacks(GROUP)).keys()

    # What a killed process had in its spool is stored by the next one.
    await eventually(are_stored, "every acknowledged push to be stored")
    await stack.settled(GROUP)

    callbacks, cards = await stack.tables.callbacks(GROUP), await stack.peer.cards(GROUP)
    log.info("%d acknowledged, %d cards doubled", len(promised), cards.total() - len(cards))
    assert promised <= callbacks.keys()
    assert set(callbacks.values()) == {1}
    assert await stack.tables.replies(GROUP) == {"sent": len(callbacks)}
    assert cards.keys() == callbacks.keys()


async def _cards_shown(stack: Stack, number: int) -> None:
    async def are_shown() -> bool:
        return len(await stack.peer.cards(GROUP)) >= number

    await eventually(are_shown, f"{number} cards")
