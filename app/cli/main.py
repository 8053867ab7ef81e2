"""The command `oa-bridge` with its sub-commands."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from app import tracing
from app.cli.command_list import CommandList

# Commands that serve many requests and jobs, each with an id of its own.
LASTING = ("serve", "worker")

HELP = """OA Bridge joins a WeChat Official Account to its mini-programs.

Settings come from environment variables or from the file .env in this folder. Start with `migrate`,
then run `serve` and `worker`; /readyz says whether everything works.
"""

cli = typer.Typer(cls=CommandList, no_args_is_help=True, help=HELP, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oa-bridge {version('oa-bridge')}")
        raise typer.Exit


@cli.callback()
def _options(
    context: typer.Context,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand not in LASTING:
        context.with_resource(tracing.trace(None))


def main() -> None:
    """Run the command. Invalid settings end it with one line for each problem."""
    try:
        cli()
    except Exception as error:
        # Imported only now: `--version` needs no settings.
        status = import_module("app.cli.known_error").tell(error)
        if status is None:
            raise
        sys.exit(status)
