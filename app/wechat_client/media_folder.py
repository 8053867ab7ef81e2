"""Reads files of the media folder: regular files of a bounded size, and nothing else.

Whoever may write into the folder may be somebody else than who runs the service. A symbolic link
would lead to any file of this machine, and reading a FIFO or a device would never end.
"""

import errno
import os
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
    if Path(name).name != name:
        raise UnreadableFile(name, f"is not a plain file name: {_FOLDER}")
    try:
        descriptor = os.open(folder / name, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableFile(name, f"is a symbolic link: {_FOLDER}") from error
        raise _not_read(name, error) from error
    try:
        return _read(descriptor, name, max_bytes)
    except OSError as error:
        raise _not_read(name, error) from error
    finally:
        os.close(descriptor)


def _read(descriptor: int, name: str, max_bytes: int) -> bytes:
    found = os.fstat(descriptor)
    if not S_ISREG(found.st_mode):
        raise UnreadableFile(name, f"is not a regular file: {_FOLDER}")
    content = b""
    if found.st_size <= max_bytes:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    size = max(found.st_size, len(content))
    if size > max_bytes:
        raise UnreadableFile(
            name, f"has {size} bytes, and WeChat accepts {max_bytes}: make it smaller"
        )
    return content


def _not_read(name: str, error: OSError) -> UnreadableFile:
    return UnreadableFile(name, f"can't be read ({error.strerror}): {_FOLDER}, or correct the name")
