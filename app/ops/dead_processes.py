"""Web processes that are gone, as far as metrics are concerned."""

import os
import re
from pathlib import Path

import psutil
from prometheus_client.multiprocess import mark_process_dead

_OWNER = re.compile(r"_(\d+)\.db$")


def forget_dead_processes() -> None:
    """Drop the gauges of web processes that ended, however they ended.

    Whoever starts does it for those that could not: a killed process says no farewell.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return
    owners = {
        int(found[1]) for path in Path(folder).glob("*.db") if (found := _OWNER.search(path.name))
    }
    for pid in owners:
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library's lack
