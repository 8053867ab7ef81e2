"""SIGTERM under load: what was begun is finished, then the process ends well."""

import asyncio
from pathlib import Path

from simulator.demo import ACCOUNT
from tests.e2e.children import Child, oa_bridge
from tests.e2e.gate import Gate
from tests.e2e.peer import acknowledged, person, texts
from tests.e2e.raw import Begun, begin_push
from tests.e2e.stack import Stack, account_settings
from tests.waiting import eventually

# It takes some seconds on an idle machine. A process that waits for a statement takes 30.
STOP_SECONDS = 25
BEGUN = 20


async def test_a_web_process_answers_every_request_that_it_has_accepted(stack: Stack) -> None:
    web, once = stack.webs[0], {"deliveries": 1}
    pushes = texts([web.url], 300, group="load", delivery=once)
    load = asyncio.create_task(stack.peer.push_all(pushes))
    await eventually(lambda: _stored(stack, "load", 40), "40 callbacks")
    begun = [await begin_push(web.url, ACCOUNT, person(n, "begun"), n + 1) for n in range(BEGUN)]

    ending = asyncio.create_task(web.stopped(STOP_SECONDS))
    await eventually(lambda: _refuses(web.port), within=STOP_SECONDS, what="the port to be closed")
    statuses = await asyncio.gather(*map(Begun.finish, begun))
    status = await ending

    assert statuses == [200] * BEGUN
    assert len(await stack.tables.callbacks("begun")) == BEGUN
    promised = {push["openid"] for push in await load if acknowledged(push)}
    assert promised <= (await stack.tables.callbacks("load")).keys()
    await stack.settled("load")
    assert status == 0, "a supervisor must see a clean end"


async def _stored(stack: Stack, group: str, number: int) -> bool:
    return len(await stack.tables.callbacks(group)) >= number


async def _refuses(port: int | None) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


async def test_a_worker_finishes_the_jobs_at_hand(stack: Stack) -> None:
    stopped, other = stack.workers
    await other.stopped(STOP_SECONDS)
    await stack.peer.fault("message/custom/send", latency_seconds=1)
    await stack.peer.push_all(texts(stack.urls, 120, group="hand"))
    await eventually(lambda: _is_sending(stack), "a send under way")

    status = await stopped.stopped(STOP_SECONDS)

    replies = await stack.tables.replies("hand")
    assert replies["sending"] == 0
    assert (await stack.peer.cards("hand")).total() == replies["sent"]
    assert status == 0
    stopped.restart()
    await stack.settled("hand")
    assert set((await stack.peer.cards("hand")).values()) == {1}


async def _is_sending(stack: Stack) -> bool:
    return (await stack.tables.replies("hand"))["sending"] > 0


async def test_a_worker_told_to_end_while_it_connects_ends(
    database_url: str, tmp_path: Path
) -> None:
    async with Gate.before(database_url) as gate:
        settings = account_settings() | {"DATABASE_URL": gate.url}
        worker = Child("worker", oa_bridge("worker"), tmp_path, settings)
        try:
            worker.start()
            await eventually(gate.is_knocked_at, "the worker to connect")
            ending = asyncio.create_task(worker.stopped(STOP_SECONDS))
            gate.open()
            assert await ending == 0
        finally:
            worker.clean_up()
