"""CPU time of process trees, and of the whole machine."""

import psutil


def cpu_seconds(root: int) -> float:
    """Return what the process `root` and all below it have used so far, those gone included.

    A process that ends hands its times to its parent's children_* (Linux; elsewhere they are 0).
    """
    return sum(_own(process) for process in _tree(root))


def machine_seconds() -> float:
    """Return how long the cores have been busy so far, all together, with whatever it was."""
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
