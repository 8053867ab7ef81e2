"""`python -m tests.campaign [NAME ...]`: what faults cost, one line of figures for each."""

import asyncio
import signal
import sys
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.load_client import NoCompiler
from tests.campaign import page_table
from tests.campaign.campaigns import CAMPAIGNS
from tests.campaign.deployment import NoMount
from tests.campaign.figures import Figures
from tests.campaign.options import Options

START_SECONDS = 300
ROUND_SECONDS = 30


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Any of {', '.join(CAMPAIGNS)}; all if none.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How often to kill.")] = 20,
    rate: Annotated[float, typer.Option(min=1, max=500, help="Pushes a second.")] = 40.0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same faults.")] = 1,
    logs: Annotated[
        Path | None, typer.Option(help="A folder that keeps the logs of all programs.")
    ] = None,
    write_docs: Annotated[
        bool, typer.Option("--write-docs", help="Put the figures into the operating pages.")
    ] = False,
) -> None:
    """Break the running service on purpose, and compare what WeChat saw with the tables."""
    chosen = names or list(CAMPAIGNS)
    if unknown := [name for name in chosen if name not in CAMPAIGNS]:
        raise typer.BadParameter(f"{', '.join(unknown)}; there are {', '.join(CAMPAIGNS)}")
    # What was started and mounted is cleared up then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = Options(rounds, rate, seed, logs)
    good = [_run(name, options, write_docs=write_docs) for name in chosen]
    sys.exit(0 if all(good) else 1)


def _run(name: str, options: Options, *, write_docs: bool) -> bool:
    """Run one campaign and print its line; return whether everything acknowledged was kept once."""
    limit = START_SECONDS + ROUND_SECONDS * options.rounds
    if options.logs is not None:
        options = replace(options, logs=options.logs / name)
    try:
        figures = asyncio.run(_within(limit, CAMPAIGNS[name](options)))
    except NoMount:
        typer.echo(f"{name}: left out, since only root may mount a small file system")
        return True
    except NoCompiler:
        typer.echo(f"{name}: left out, since a C compiler is needed for the load generator")
        return True
    except Exception as error:  # noqa: BLE001 - the other campaigns are run all the same
        typer.echo(f"{name}: no figures: {type(error).__name__}: {error}")
        return False
    typer.echo(figures.line(name))
    if write_docs:
        page_table.write(name, list(figures.named().values()))
    return figures.kept_its_word


async def _within(seconds: float, running: Awaitable[Figures]) -> Figures:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await running
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(f"not over within {seconds:g} s") from None
        raise


if __name__ == "__main__":
    typer.run(main)
