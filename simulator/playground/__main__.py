"""`python -m simulator.playground`: the command behind `make run`."""

import asyncio
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulator.playground.play import play
from simulator.playground.setup import SERVICE_PORT, SIMULATOR_PORT, Setup, free_port

DataDir = Annotated[
    Path, typer.Option(resolve_path=True, help="The folder of the database, logs and pictures.")
]
Once = Annotated[bool, typer.Option("--once", help="Stop after the demonstration.")]


def main(*, data_dir: DataDir = Path("data"), once: Once = False) -> None:
    """Run Postgres, service, worker and simulator, and send one message end to end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with locked(data_dir):
        setup = Setup(data_dir, free_port(SERVICE_PORT), free_port(SIMULATOR_PORT))
        sys.exit(asyncio.run(play(setup, Console(), once=once)))


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Lock the data folder: the end of one playground would stop the Postgres of another."""
    with (data_dir / "playground.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another playground runs with {data_dir}; stop it first.")
        yield


if __name__ == "__main__":
    typer.run(main)
