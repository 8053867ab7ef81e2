"""Keeps byte strings on disk for as long as an import runs, so that they take no memory."""

import os
from array import array
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final

MAX_IN_MEMORY: Final = 1024 * 1024


def scratch_file(folder: Path | None) -> "SpooledTemporaryFile[bytes]":
    """Return a file without a name, which is on disk once it holds more than MAX_IN_MEMORY.

    folder: where it is made, if it may be; the usual one for temporary files may be memory.
    """
    usable = folder is not None and folder.is_dir() and os.access(folder, os.W_OK)
    return SpooledTemporaryFile(MAX_IN_MEMORY, dir=str(folder) if usable else None)


class Scratch:
    """Byte strings by number, from 0 on. Used by one thread at a time."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = scratch_file(folder)
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ends) - 1

    def add(self, data: bytes) -> int:
        """Store a string and return its number."""
        self._file.seek(self._ends[-1])
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))
        return len(self) - 1

    def __getitem__(self, number: int) -> bytes:
        """Return the string with a number."""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start)

    def close(self) -> None:
        """Delete all of them."""
        self._file.close()

    def __del__(self) -> None:
        """Delete all of them if nobody did: an import may end anywhere."""
        self._file.close()
