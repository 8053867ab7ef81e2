"""Reads how full the spool of this machine is, for a command, without touching it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from app.callback.spool import SpoolStatus

FILE: Final = "spool.sqlite3"
_COUNTS: Final = "SELECT count(*), coalesce(sum(refused <> 0), 0) FROM spooled"
BUSY_SECONDS: Final = 1.0


def read_status(folder: Path, limit: int) -> SpoolStatus | None:
    """Return the status; None if there is no spool below the folder, or it can't be read."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            count, dead_letters = connection.execute(_COUNTS).fetchone()
    except sqlite3.Error:
        return None
    return SpoolStatus(
        enabled=True, count=count - dead_letters, limit=limit, dead_letters=dead_letters
    )
