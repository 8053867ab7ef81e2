"""`oa-bridge menus`: reads, compares and publishes the custom menus of an account."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli import menus_work
from app.cli.access_command import settings_of_command
from app.cli.account_command import AppIdOption, account_of, run_command
from app.menus.schemas import MAX_NUMBER
from app.wechat.ids import AppId

menus = typer.Typer(no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)

FileArgument = Annotated[
    Path | None, typer.Argument(help="A YAML file with the menu; without it, the stored draft.")
]


@menus.command()
def pull(appid: AppIdOption = None) -> None:
    """Write the menu that followers see to standard output, as YAML that `publish` takes.

    Buttons that the API can't make are named on standard error.
    """
    settings = settings_of_command()
    account = AppId(account_of(settings, appid))
    run_command(lambda: menus_work.pull(settings, account))


@menus.command()
def diff(file: FileArgument = None, appid: AppIdOption = None) -> None:
    """Show what publishing would change, button by button."""
    settings = settings_of_command()
    account = AppId(account_of(settings, appid))
    run_command(lambda: menus_work.diff(settings, account, file, out), file)


@menus.command()
def publish(
    file: FileArgument = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    appid: AppIdOption = None,
) -> None:
    """Publish a menu: it is checked and compared, becomes the draft, and goes to WeChat.

    You can stop the command at any time; a worker then goes on with the publication.
    """
    settings = settings_of_command()
    account = AppId(account_of(settings, appid))
    run_command(lambda: menus_work.publish_menu(settings, account, file, out, yes=yes), file)


@menus.command()
def versions(appid: AppIdOption = None) -> None:
    """List the latest versions: who published what when, and what became of it."""
    settings = settings_of_command()
    account = account_of(settings, appid)
    run_command(lambda: menus_work.show_versions(settings, account, out))


@menus.command()
def restore(
    number: Annotated[
        int, typer.Argument(min=1, max=MAX_NUMBER, help="The number of the version.")
    ],
    appid: AppIdOption = None,
) -> None:
    """Make the menu of a version the draft; `publish` without a file publishes it."""
    settings = settings_of_command()
    account = account_of(settings, appid)
    run_command(lambda: menus_work.restore_version(settings, account, number, out))
