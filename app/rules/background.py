"""Runs CPU-bound work in a thread with garbage collection paused and a short switch interval.

Python runs one thread at a time. The event loop does not wait for such work as a whole, but for its
longest single steps: a garbage collection over all the objects that the work creates, and the
intervals for which a thread may keep running.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

SWITCH_INTERVAL_SECONDS: Final = 0.0005
_SLICE: Final = 500


class _RunningWorks:
    """How many works are running in this process, and the settings from before the first one."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.count = 0
        self.gc_enabled = True
        self.switch_interval = 0.0


_works = _RunningWorks()


@contextmanager
def background_work() -> Iterator[None]:
    """Pause garbage collection and switch threads often until the work ends; works may overlap."""
    with _works.lock:
        _works.count += 1
        if _works.count == 1:
            _works.gc_enabled, _works.switch_interval = gc.isenabled(), sys.getswitchinterval()
            gc.disable()
            sys.setswitchinterval(min(SWITCH_INTERVAL_SECONDS, _works.switch_interval))
    try:
        yield
    finally:
        with _works.lock:
            _works.count -= 1
            if _works.count == 0:
                sys.setswitchinterval(_works.switch_interval)
                if _works.gc_enabled:
                    gc.enable()


def freeze_heap() -> None:
    """Exclude all present objects from garbage collection; call it before the work ends.

    They are still freed when their last reference goes.
    """
    gc.freeze()


def release_in_slices(objects: list[Any]) -> None:
    """Empty a list slice by slice: freeing very many objects at once would block other threads."""
    while objects:
        del objects[-_SLICE:]
