"""The commands of `oa-bridge`: the module of each is imported when the command is called.

To import all of them takes two seconds of a processor, and a command needs only its own.
"""

from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from app.ops.gc_tuning import no_collection


class Listed(NamedTuple):
    """A command as `--help` lists it. A module of its name in this package has a Typer of it."""

    name: str
    help: str


COMMANDS: Final = (
    Listed("doctor", "Check the whole link; say what is wrong and what to do."),
    Listed("serve", "Receive callbacks and serve the API."),
    Listed(
        "worker", "Run the jobs: send replies and webhooks, resolve UnionIDs, erase personal data."
    ),
    Listed("migrate", "Migrate the database to the newest schema."),
    Listed(
        "simulate",
        "Simulate WeChat's servers on this machine, with the options of `python -m simulator`.",
    ),
    Listed("alarms", "See alarms, and say who is told of them."),
    Listed("articles", "Open mini-programs from articles, so that visits are known."),
    Listed("campaigns", "Watch campaigns, and fill their codes."),
    Listed("followers", "Synchronise the list of followers with WeChat."),
    Listed("links", "Make links into mini-programs."),
    Listed("menus", "Read, compare and publish the custom menus of an account."),
    Listed("notices", "Watch, pause and stop sends of notices."),
    Listed("operators", "Manage who may use the console."),
    Listed("quota", "Clear the quotas of WeChat's API."),
    Listed("qrcodes", "Make QR codes and read their figures."),
    Listed("rules", "Explain, export and import the rules."),
    Listed("secrets", "Encrypt the secrets in the database."),
    Listed("tags", "Change tags, and tag followers."),
    Listed("tokens", "Manage the tokens of programs that call /api."),
    Listed("users", "Erase the personal data of a user."),
)


class CommandList(TyperGroup):
    """`oa-bridge` with its commands, none of which is imported."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as Typer has it
        super().__init__(**attributes)
        for listed in COMMANDS:
            self.add_command(_Deferred(name=listed.name, help=listed.help))


class _Deferred(TyperCommand):
    """Stands in the list for a command, which takes its place when it is called."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:  # noqa: ANN401 - as Typer has it
        """Return the context of the command itself."""
        return load(str(self.name), self.help).make_context(*arguments, **extra)


def load(name: str, group_help: str | None) -> Any:  # noqa: ANN401 - Typer's own, which is private
    """Import a command. group_help: what it is for, if it has sub-commands."""
    with no_collection():
        module = import_module(f"app.cli.{name}")
    commands: typer.Typer = getattr(module, name)
    if len(commands.registered_commands) == 1 and commands.registered_callback is None:
        return get_command(commands)
    group = get_group(commands)
    group.name, group.help = name, group_help
    return group
