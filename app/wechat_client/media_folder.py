"""Reads files of the media folder: regular files of a bounded size, and nothing else.

Whoever may write into the folder may be somebody else than who runs the service. A symbolic link
would lead to any file of this machine, and reading a FIFO or a device would never end.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Final

from app.wechat_client.errors import MediaUnavailable

# O_NONBLOCK: opening a FIFO would wait for somebody who writes into it.
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER: Final = "put the file itself into the media folder (MEDIA_DIR)"


class UnreadableFile(MediaUnavailable):
    """A file can't be used. reason: what is wrong and what to do, without the name."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.reason = reason


def read_file(folder: Path, name: str, max_bytes: int) -> bytes:
    """Return the content of a file by its plain name. Raises UnreadableFile."""
    with _opened(folder, name) as descriptor:
        return _read(descriptor, name, max_bytes)


def file_version(folder: Path, name: str) -> tuple[int, ...]:
    """Return what changes when somebody writes a file. Raises UnreadableFile."""
    with _opened(folder, name) as descriptor:
        found = _regular(descriptor, name)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[int]:
    """Yield the descriptor of a file, whose errors become UnreadableFile."""
    if Path(name).name != name or "\0" in name:
        raise UnreadableFile(name, f"is not a plain file name: {_FOLDER}")
    try:
        descriptor = os.open(folder / name, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableFile(name, f"is a symbolic link: {_FOLDER}") from error
        raise _not_read(name, error) from error
    try:
        yield descriptor
    except OSError as error:
        raise _not_read(name, error) from error
    finally:
        os.close(descriptor)


def _read(descriptor: int, name: str, max_bytes: int) -> bytes:
    size, content = _regular(descriptor, name).st_size, b""
    if size <= max_bytes:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    _require_size(name, max(size, len(content)), max_bytes)
    return content


def _regular(descriptor: int, name: str) -> os.stat_result:
    """Return what the system knows of a regular file. Raises UnreadableFile for anything else."""
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode):
        raise UnreadableFile(name, f"is not a regular file: {_FOLDER}")
    return found


def _require_size(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise UnreadableFile(
            name, f"has {size} bytes, and at most {max_bytes} are taken: make it smaller"
        )


def _not_read(name: str, error: OSError) -> UnreadableFile:
    return UnreadableFile(name, f"can't be read ({error.strerror}): {_FOLDER}, or correct the name")
