"""Prints what a command can't go on with, if the operator can correct it."""

from typing import Final

import typer

from app.settings import SettingsError
from app.tombstones.erasure_secret import ErasureSecretUnreadable

BAD_USE: Final = 2
FAILED: Final = 1


def tell(error: Exception) -> int | None:
    """Print one line for each problem; return the exit status, or None for any other error."""
    if isinstance(error, SettingsError):
        problems, status = error.problems, BAD_USE
    elif isinstance(error, ErasureSecretUnreadable):
        problems, status = [str(error)], FAILED
    else:
        return None
    for problem in problems:
        typer.echo(f"oa-bridge: {problem}", err=True)
    return status
