"""How far an import is, which threads tell and an event loop reads."""

from app.rules.importing.byte_source import ByteSource
from app.rules.importing.models import ImportStep


class Stopped(Exception):
    """Nobody waits for the import any more."""


class Progress:
    """The step that an import is at, and how much of it is done."""

    def __init__(self) -> None:
        self.step = ImportStep.WAITING
        self.done = 0
        self.total = 0
        self._is_stopped = False

    def begin(self, step: ImportStep, total: int) -> None:
        """Go to a step. total: how much there is to do in it."""
        self.step, self.done, self.total = step, 0, total

    def add(self, number: int) -> None:
        """Note that so much more is done. Raises Stopped, so that a thread does not go on alone."""
        if self._is_stopped:
            raise Stopped
        self.done += number

    def stop(self) -> None:
        """Let the thread that works on it end soon."""
        self._is_stopped = True


class CountedBytes:
    """Counts what is read of a document."""

    def __init__(self, stream: ByteSource, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; nothing at the end. Raises Stopped."""
        found = self._stream.read(size)
        self._progress.add(len(found))
        return found
