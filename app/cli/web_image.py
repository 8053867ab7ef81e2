"""What every web process has in memory: imported once, by the process that they are forked from.

To import the application takes some seconds of a processor. A web process that takes the place of a
killed one has to receive at once, so it begins with all of it. Importing this module does it:
`multiprocessing` can give its server of forks nothing but names of modules.
"""

import gc
import signal
from importlib import import_module
from typing import Final

# The console script's own module, which each process imports by its path; the application; and what
# uvicorn imports when it serves.
MODULES: Final = (
    "app.cli.main",
    "app.cli.serve",
    "app.main",
    "app.ops.http_protocol",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.httptools_impl",
)
# Who stops a whole service, as systemd does, sends it to each process. The server of forks has to
# outlive the web processes, whose ends it reports. They get what was sent to them before they were
# ready for it: see `receive_signals`.
HELD: Final = frozenset({signal.SIGTERM})


def receive_signals() -> None:
    """Let the signals through that the process held which this one was forked from."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def _fill() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    gc.disable()
    for name in MODULES:
        import_module(name)
    # A collection would write to every page of memory that the web processes share.
    gc.freeze()
    gc.enable()


_fill()
