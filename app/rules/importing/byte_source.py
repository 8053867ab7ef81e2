"""What a document is read from."""

from typing import Protocol


class ByteSource(Protocol):
    """Bytes that are read from their begin to their end, as those of a file."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` further bytes; nothing at the end."""
        ...
