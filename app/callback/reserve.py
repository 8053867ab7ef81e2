"""Disk space that is kept back, so that something can still be deleted on a full disk."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 4 << 20


class Reserve:
    """A file of RESERVE_BYTES that holds nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Take the space, or as much of it as the file system gives."""
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            try:
                if os.fstat(descriptor).st_size < RESERVE_BYTES:
                    os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)

    def release(self) -> None:
        """Give the space back."""
        with suppress(OSError):
            os.truncate(self._path, 0)
