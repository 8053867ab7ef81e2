"""How far a spool is drained, in a place that can be written when the disk is full.

A committed record has to be deleted from the spool, and a deletion needs room on the disk. The mark
is a few bytes that exist already and are overwritten in place: a record up to it counts as gone,
whether or not its row could be deleted yet. A mark that is lost or too old does no harm: records
that are committed twice have no second effect.
"""

import os
import struct
from pathlib import Path
from typing import Final

# The spool that the mark belongs to, and the number of the last record that is committed.
_LAYOUT: Final = struct.Struct("<16sQ")


class DrainMark:
    """The mark of one spool file.

    identity: 16 bytes drawn with the file; a mark of another file counts as 0.
    """

    def __init__(self, path: Path, identity: bytes) -> None:
        self._identity = identity
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        if os.fstat(self._descriptor).st_size < _LAYOUT.size:
            # Takes its block while there is room.
            os.pwrite(self._descriptor, _LAYOUT.pack(identity, 0), 0)
            os.fsync(self._descriptor)

    def read(self) -> int:
        """Return the number up to which everything is committed; 0 when nothing is known."""
        data = os.pread(self._descriptor, _LAYOUT.size, 0)
        if len(data) < _LAYOUT.size:
            return 0
        identity, number = _LAYOUT.unpack(data)
        return int(number) if identity == self._identity else 0

    def write(self, number: int) -> None:
        """Note that everything up to `number` is committed."""
        os.pwrite(self._descriptor, _LAYOUT.pack(self._identity, number), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
