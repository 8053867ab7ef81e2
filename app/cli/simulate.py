"""`oa-bridge simulate`: the simulator of WeChat."""

import os
import sys
from importlib.util import find_spec
from typing import Final

import typer

FAILED: Final = 1
NO_SIMULATOR = (
    "oa-bridge: the simulator is not installed here (the container image leaves it out); run pip "
    "install '.[embedded]' in a copy of the repository"
)

simulate = typer.Typer(add_completion=False)


@simulate.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Simulate WeChat's servers on this machine, with the options of `python -m simulator`."""
    _require_simulator()
    # It is another program, because the service must not import the simulator. It takes the place
    # of this process, so that it ends with it.
    os.execv(sys.executable, [sys.executable, "-m", "simulator", *context.args])  # noqa: S606


def _require_simulator() -> None:
    """End with one line if the simulator is not installed, as in the container image."""
    if find_spec("simulator") is None:
        typer.echo(NO_SIMULATOR, err=True)
        raise typer.Exit(FAILED)
