"""Removes the metrics of web processes that have ended."""

import os
import re
from pathlib import Path

import psutil
from prometheus_client.multiprocess import mark_process_dead

_PID = re.compile(r"_(\d+)\.db$")


def forget_dead_processes() -> None:
    """Remove the gauges of web processes that have ended; call it when a process starts."""
    # A killed process can't remove its own, so the next process that starts does.
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return
    pids = {
        int(found[1]) for path in Path(folder).glob("*.db") if (found := _PID.search(path.name))
    }
    for pid in pids:
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library has no types
