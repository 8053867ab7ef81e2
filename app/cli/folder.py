"""Checks the folder DATA_DIR before a command needs it."""

import tempfile
from pathlib import Path

from app.settings import SettingsError


def require_folder(folder: Path) -> None:
    """Raise SettingsError if no file can be written to the folder."""
    # The spool needs it at the first outage of the database, which is too late for this error.
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            [
                f"DATA_DIR: {folder} can't be used: {error.strerror}: name a folder that this user "
                "may write to"
            ]
        ) from None
