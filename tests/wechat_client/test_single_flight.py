"""One at a time, and nothing kept of it."""

import asyncio
import contextlib
import gc
import weakref

from app.wechat_client.single_flight import SingleFlight


class Picture:
    """Megabytes."""


async def test_a_failure_that_nobody_waits_for_holds_on_to_nothing() -> None:
    single_flight = SingleFlight()
    pictures: list[weakref.ref[Picture]] = []

    async def refused() -> None:
        picture = Picture()
        pictures.append(weakref.ref(picture))
        async with single_flight.run("a picture"):
            raise ValueError("refused")

    with contextlib.suppress(ValueError):
        await refused()
    gc.collect()

    assert [picture() for picture in pictures] == [None]


async def test_who_comes_after_a_failure_runs_although_others_still_wait_for_it() -> None:
    single_flight = SingleFlight()
    begun, fails = asyncio.Event(), asyncio.Event()

    async def ask() -> str:
        async with single_flight.run("a picture"):
            return "ran"

    async def fail_and_ask_again() -> str:
        with contextlib.suppress(ValueError):
            async with single_flight.run("a picture"):
                begun.set()
                await fails.wait()
                raise ValueError("refused")
        return await ask()

    first = asyncio.create_task(fail_and_ask_again())
    await begun.wait()
    waiting = asyncio.create_task(ask())
    await asyncio.sleep(0)
    fails.set()
    outcomes = await asyncio.gather(first, waiting, return_exceptions=True)

    assert [str(one) for one in outcomes] == ["ran", "refused"]
