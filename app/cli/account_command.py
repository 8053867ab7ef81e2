"""Runs a command about one Official Account, and prints why it failed."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from app.api_errors import InvalidRequest
from app.cli.api_failure import api_failure
from app.cli.database import UNUSABLE, why_unusable
from app.cli.errors import CommandFailed
from app.settings import Settings
from app.wechat.errors import ApiError

FAILED: Final = 1
BAD_USE: Final = 2

err = Console(stderr=True, soft_wrap=True, highlight=False)

AppIdOption = Annotated[
    str | None, typer.Option("--appid", help="The account; not needed if there is only one.")
]


def account_of(settings: Settings, appid: str | None) -> str:
    """Return the AppID of the account that a command is about. Raises typer.Exit."""
    known = [account.appid for account in settings.accounts.values() if account.receives]
    if appid is None and len(known) == 1:
        return known[0]
    if appid in known:
        return appid
    err.print(f"oa-bridge: --appid: choose one of {', '.join(known)}")
    raise typer.Exit(BAD_USE)


def run_command(command: Callable[[], Coroutine[Any, Any, None]], file: Path | None = None) -> None:
    """Run a command. If it fails, print one line for each reason and exit with status FAILED.

    file: what the command reads.
    """
    try:
        asyncio.run(command())
    except InvalidRequest as invalid:
        for problem in invalid.problems:
            field = ".".join(str(part) for part in problem.loc if part != "body")
            err.print(f"oa-bridge: {field or file}: {problem.msg}", markup=False)
    except ApiError as error:
        err.print(f"oa-bridge: {api_failure(error)}", markup=False)
    except CommandFailed as error:
        err.print(f"oa-bridge: {error}", markup=False)
    except UNUSABLE as error:
        err.print(f"oa-bridge: {why_unusable(error)}", markup=False)
    else:
        return
    raise typer.Exit(FAILED)
