"""Tunes the garbage collector for a process with many short requests."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Reference counting frees nearly all objects of a push. With Python's default threshold of 700 the
# collector takes a twentieth of the time of a push, and more with many rules in memory.
THRESHOLDS: Final = (50_000, 20, 50)


def freeze_heap() -> None:
    """Exclude present objects from collection and collect rarely; call it after the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect nothing while modules are imported: all of it stays, and to look takes a quarter.

    The time of a process that imports the application is meant.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
