"""The playground from start to stop."""

import asyncio
import signal
from typing import Any

from rich.console import Console

from simulator.playground.errors import PlaygroundError
from simulator.playground.running import Playground
from simulator.playground.setup import Setup


async def play(setup: Setup, console: Console, *, once: bool) -> int:
    """Run the playground; return the exit status: 0, or 1 when something failed.

    once: end after the trace instead of staying until SIGINT, SIGTERM or SIGHUP.
    """
    stopped = _stop_on_signals()
    playground = Playground(setup, console)
    try:
        return await _until_over(playground, stopped, once=once)
    except PlaygroundError as error:
        console.print(str(error), style="bold red", highlight=False, markup=False)
        return 1
    finally:
        await playground.stop()


def _stop_on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _until_over(playground: Playground, stopped: asyncio.Event, *, once: bool) -> int:
    """Run until the story is told, a signal comes, or a program dies; whichever is first.

    Raises PlaygroundError when the story can't be told to its end.
    """
    story = asyncio.create_task(playground.tell())
    stop = asyncio.create_task(stopped.wait())
    death = asyncio.create_task(playground.children.first_death())
    try:
        await asyncio.wait({story, stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done() and not death.done():
            story.result()
            if once:
                return 0
            playground.invite()
            await asyncio.wait({stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            return 0
        playground.report(death.result())
        return 1
    finally:
        await _cancel(story, stop, death)


async def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
