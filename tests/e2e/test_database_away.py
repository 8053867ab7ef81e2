"""The database stops under load and comes back: what was acknowledged is there, once."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.peer import Json, acknowledged, texts
from tests.e2e.postgres import Postgres
from tests.e2e.stack import BEARER, Processes, Stack, run_processes
from tests.waiting import eventually

OUTAGE_SECONDS = 30
# Below the limit of a statement, which must not be waited for; how long it takes says the machine.
STOP_SECONDS = 25
PUSHES_A_SECOND = 16


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    # Not under pytest's folders: a socket's path has to be short, and open to Postgres' own user.
    with TemporaryDirectory(prefix="oab-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = Postgres(Path(name))
        try:
            yield server
        finally:
            server.clean_up()


@pytest.fixture(scope="module")
def processes(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    url = asyncio.run(postgres.start())
    folder = tmp_path_factory.mktemp("away")
    with run_processes(url, folder, webs=2) as running:
        yield running


async def test_an_outage_of_30_s_under_load_loses_and_doubles_nothing(
    stack: Stack, postgres: Postgres
) -> None:
    async with _load(stack, "away") as pushed:
        await _pushes_ended(pushed, 30)
        await postgres.stop_at_once()
        began = time.monotonic()
        await _both_spool(stack)
        await asyncio.sleep(began + OUTAGE_SECONDS - time.monotonic())
        await _both_spool(stack)
        await postgres.start()
        await _spool_drained(stack)
        await _pushes_ended(pushed, len(pushed) + 30)
    await _all_kept_once(stack, pushed, "away")


async def test_a_database_that_hangs_costs_nothing_either(stack: Stack, postgres: Postgres) -> None:
    async with _load(stack, "hang") as pushed:
        await _pushes_ended(pushed, 20)
        with postgres.frozen():
            await _both_spool(stack)
            await _pushes_ended(pushed, len(pushed) + 60)
        await _spool_drained(stack)
        await _pushes_ended(pushed, len(pushed) + 20)

    await _all_kept_once(stack, pushed, "hang")


async def test_a_web_process_and_a_worker_end_in_time_while_the_database_hangs(
    stack: Stack, postgres: Postgres
) -> None:
    ending = [stack.webs[0], *stack.workers]
    async with _load(stack, "stop") as pushed:
        await _pushes_ended(pushed, 20)
        with postgres.frozen():
            await _both_spool(stack)
            statuses = await asyncio.gather(*(child.stopped(STOP_SECONDS) for child in ending))

    assert set(statuses) == {0}


async def _all_kept_once(stack: Stack, pushed: list[Json], group: str) -> None:
    await stack.settled(group)
    refused = [push["deliveries"] for push in pushed if not acknowledged(push)]
    assert refused == []
    people = {push["openid"]: 1 for push in pushed}
    assert await stack.tables.callbacks(group) == people
    assert (await stack.peer.cards(group)).keys() == people.keys()
    assert await stack.tables.replies(group) == {"sent": len(people)}


async def test_kill_9_while_spooling_loses_nothing_that_was_acknowledged(
    stack: Stack, postgres: Postgres
) -> None:
    await postgres.stop_at_once()
    victim = stack.webs[0]
    async with _load(stack, "spool") as pushed:
        await _pushes_ended(pushed, 40)
        victim.kill()
        await asyncio.to_thread(victim.restart)
        # The restarted one has the rules from their copy on disk.
        blind = await stack.peer.push_all(texts([victim.url], 20, group="spoolblind"))
        await _pushes_ended(pushed, len(pushed) + 20)
    assert {push["answer"]["verdict"] for push in blind} == {"passive"}
    await postgres.start()
    await _spool_drained(stack)
    await stack.settled("spool")

    promised = {push["openid"] for push in [*pushed, *blind] if acknowledged(push)}
    callbacks = await stack.tables.callbacks("spool")
    assert promised <= callbacks.keys()
    assert set(callbacks.values()) == {1}
    assert (await stack.peer.cards("spool")).keys() == callbacks.keys()
    assert await stack.tables.replies("spool") == {"sent": len(callbacks)}


@asynccontextmanager
async def _load(stack: Stack, group: str) -> AsyncIterator[list[Json]]:
    """Push at a steady pace until the block ends; yields the outcomes so far."""
    outcomes: list[Json] = []
    under_way: set[asyncio.Task[None]] = set()

    async def push(number: int) -> None:
        outcomes.append(await stack.peer.push(**texts(stack.urls, 1, first=number, group=group)[0]))

    async def pump() -> None:
        number = 0
        while True:
            task = asyncio.create_task(push(number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            number += 1
            await asyncio.sleep(1 / PUSHES_A_SECOND)  # the pace of the load, not a wait

    pumping = asyncio.create_task(pump())
    try:
        yield outcomes
    finally:
        pumping.cancel()
        await asyncio.gather(*under_way)


async def _pushes_ended(pushed: list[Json], number: int) -> None:
    async def have_ended() -> bool:
        return len(pushed) >= number

    await eventually(have_ended, f"{number} pushes to end")


async def _both_spool(stack: Stack) -> None:
    """Both web processes stay ready, and show what they keep on disk."""

    async def is_seen(web: int) -> bool:
        told = await stack.ready(web)
        spooled: int = told["parts"]["spool"]["count"]
        return told["parts"]["database"]["status"] == "failed" and spooled > 0

    for number in range(len(stack.webs)):
        await eventually(lambda web=number: is_seen(web), f"web {number} to spool")  # type: ignore[misc]


async def _spool_drained(stack: Stack) -> None:
    async def is_empty(web: int) -> bool:
        answer = await stack.http.get(f"{stack.urls[web]}/readyz", headers=BEARER)
        return bool(answer.json()["parts"]["spool"]["count"] == 0)

    for number in range(len(stack.webs)):
        await eventually(lambda web=number: is_empty(web), f"web {number} to drain its spool")  # type: ignore[misc]
