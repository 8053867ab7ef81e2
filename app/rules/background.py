"""Long work in a thread, so that the event loop hardly notices.

Python runs one thread at a time. What the loop has to wait for is not the work as a whole but its
longest single steps: the search for garbage among all the objects that the work makes, and the
turns that threads take.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

TURN_SECONDS: Final = 0.0005
_SLICE: Final = 500


class _Works:
    """How many long works are under way in this process, and what was set before the first."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.count = 0
        self.collecting = True
        self.turn = 0.0


_works = _Works()


@contextmanager
def background_work() -> Iterator[None]:
    """Let other threads have their turn often, and look for no garbage meanwhile."""
    with _works.lock:
        _works.count += 1
        if _works.count == 1:
            _works.collecting, _works.turn = gc.isenabled(), sys.getswitchinterval()
            gc.disable()
            sys.setswitchinterval(min(TURN_SECONDS, _works.turn))
    try:
        yield
    finally:
        with _works.lock:
            _works.count -= 1
            if _works.count == 0:
                sys.setswitchinterval(_works.turn)
                if _works.collecting:
                    gc.enable()


def freeze_heap() -> None:
    """Take all objects for permanent that are there now; call it before long work ends.

    They are never looked through for garbage again, and still go with their last reference.
    """
    gc.freeze()


def release_in_slices(objects: list[Any]) -> None:
    """Empty a list slice by slice: giving back the memory of very many objects takes long too."""
    while objects:
        del objects[-_SLICE:]
