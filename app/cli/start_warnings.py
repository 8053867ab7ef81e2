"""Logs at start what works, but leaves secrets or messages open to others."""

import stat
from pathlib import Path
from typing import Final

import structlog

from app.settings import Settings

OTHERS: Final = stat.S_IRWXO

log = structlog.get_logger()


def warn(settings: Settings, *, uses_data_dir: bool) -> None:
    """Log one line for each problem, with its fix. uses_data_dir: the process keeps files there."""
    if settings.secret_key is None:
        log.warning(
            "settings.secret_key_not_set",
            fix="secrets stand in the database in clear: set SECRET_KEY (openssl rand -hex 32), "
            "then run oa-bridge secrets rewrite",
        )
    if uses_data_dir:
        _check_folder(settings.data_dir)


def _check_folder(folder: Path) -> None:
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:  # the command that needs the folder says so
        return
    if mode & OTHERS:
        log.warning(
            "settings.data_dir_open_to_others",
            mode=f"{mode:04o}",
            fix="other users of this machine can reach the messages in DATA_DIR: chmod o-rwx it",
        )
