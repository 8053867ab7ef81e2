"""The garbage collector, set for a process that answers many short requests."""

import gc
from typing import Final

# Nearly everything a push makes goes with its last reference; looking for the rest at every 700th
# object costs a twentieth of a push, and more the more rules are in memory.
THRESHOLDS: Final = (50_000, 20, 50)


def freeze_heap() -> None:
    """Take what is there now for permanent, and look for garbage rarely; call it once started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
