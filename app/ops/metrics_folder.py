"""The folder in which several web processes share their metrics, in the system's temporary folder.

`serve` removes it when it ends. A `serve` that is killed can't, so the next one does. Every process
that uses a folder holds a shared lock on a file in it, which the system releases when the process
ends, however that happens: a folder that nobody holds is left over.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "oa-bridge-metrics-"
LOCK: Final = "in-use.lock"
_NEW_LOCK: Final = "new.lock"


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """Yield a folder for the metrics of this process and its children; remove those left over."""
    remove_left_over()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, ExitStack() as stack:
        folder = Path(name)
        descriptor = os.open(folder / _NEW_LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # It gets its name once it is held, so that nobody can find it without its holder.
        (folder / _NEW_LOCK).rename(folder / LOCK)
        yield folder


def hold_for_life(folder: Path) -> None:
    """Keep a folder from being removed until this process ends. One of an operator has no lock."""
    with suppress(FileNotFoundError):
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def remove_left_over() -> None:
    """Remove the folders of this user that no process holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    """Raises OSError if it is held, no folder, or not removable."""
    with ExitStack() as stack:
        # Others may make files and links of any name in the system's temporary folder.
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        stack.callback(os.close, opened)
        if os.fstat(opened).st_uid != os.geteuid():
            return
        lock = os.open(LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
        stack.callback(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
