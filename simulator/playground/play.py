"""Runs the playground from its start to its end."""

import asyncio
import signal
from typing import Any

from rich.console import Console

from simulator.playground.errors import PlaygroundError
from simulator.playground.running import Playground
from simulator.playground.setup import Setup


async def play(setup: Setup, console: Console, *, once: bool) -> int:
    """Run the playground; return the exit status: 0, or 1 when something failed.

    once: end after the demonstration instead of staying until SIGINT, SIGTERM or SIGHUP.
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
    """Run until the demonstration ends (with `once`), a signal comes or a program ends.

    Raises PlaygroundError if the demonstration fails.
    """
    demonstration = asyncio.create_task(playground.demonstrate())
    stop = asyncio.create_task(stopped.wait())
    death = asyncio.create_task(playground.children.first_death())
    try:
        await asyncio.wait({demonstration, stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.done() and not death.done():
            demonstration.result()
            if once:
                return 0
            playground.show_hint()
            await asyncio.wait({stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            return 0
        playground.report(death.result())
        return 1
    finally:
        await _cancel(demonstration, stop, death)


async def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
