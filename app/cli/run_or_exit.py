"""Runs a command, and tells in lines why it failed."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console

from app.api_errors import InvalidRequest
from app.cli.api_failure import api_failure
from app.cli.database import UNUSABLE, why_unusable
from app.cli.errors import CommandFailed
from app.wechat.errors import ApiError

FAILED: Final = 1

err = Console(stderr=True, soft_wrap=True, highlight=False)


def run_or_exit(command: Callable[[], Coroutine[Any, Any, None]], file: Path | None = None) -> None:
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
