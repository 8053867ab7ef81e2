"""A process forked from a server of forks, known to live on when that server has ended.

`multiprocessing` hears of the end of such a process from its server alone, and takes all of them
for ended with it. Here each is watched by a descriptor of its own, which Linux has had since 5.3.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Final

# Of a process whose server had ended before it: nobody knows its own.
UNKNOWN_STATUS: Final = 255
STATUS_SECONDS: Final = 5.0


class _Popen(popen_forkserver.Popen):
    def _launch(self, process_obj: BaseProcess) -> None:
        launch: Callable[[BaseProcess], None] = super()._launch  # type: ignore[misc]
        launch(process_obj)
        self._status_fd = self.sentinel
        # If it has ended already its status can be read at once.
        with suppress(ProcessLookupError):
            self.sentinel = os.pidfd_open(self.pid)
            self._close_sentinel = Finalize(self, os.close, (self.sentinel,))

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        timeout = 0 if flag == os.WNOHANG else None
        if self.returncode is None and wait([self.sentinel], timeout):
            self.returncode = self._read_status()
        return self.returncode

    def _read_status(self) -> int:
        # Without its server it may have become a child of this process, as in a container.
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        if not wait([self._status_fd], STATUS_SECONDS):
            return UNKNOWN_STATUS
        try:
            status: int = forkserver.read_signed(self._status_fd)
        except (OSError, EOFError):
            return UNKNOWN_STATUS
        return status


class _ForkedProcess(BaseProcess):
    _start_method = "forkserver"

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> _Popen:  # noqa: N802 - the name that the library calls
        return _Popen(process_obj)


class ForkedContext(ForkServerContext):
    """Makes such processes."""

    Process = _ForkedProcess  # type: ignore[assignment]


def can_watch() -> bool:
    """Return whether the system gives descriptors of processes."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def restart_server() -> bool:
    """Start the server of forks again if it has ended; return whether it had.

    It can fork when it has imported what it is to import, which this does not wait for.
    """
    # The library tells the number nowhere else.
    server = forkserver._forkserver
    ended: int | None = getattr(server, "_forkserver_pid", None)
    if ended is None:  # processes are started in another way
        return False
    forkserver.ensure_running()
    started: int | None = getattr(server, "_forkserver_pid", None)
    return started != ended
