"""CPU time of process trees and of the whole machine, in seconds."""

import psutil


def cpu_seconds(root: int) -> float:
    """Return the CPU time of the process `root` and its descendants, ended ones included.

    The times of an ended process are in `children_*` of its parent on Linux; elsewhere they are 0.
    """
    return sum(_own(process) for process in _tree(root))


def machine_seconds() -> float:
    """Return the CPU time that all cores together have spent on any process since the start."""
    times = psutil.cpu_times()
    return times.user + times.system


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
