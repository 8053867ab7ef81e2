"""The number of files that a process may open, each connection being one."""

import resource
from typing import Final

import structlog

log = structlog.get_logger(__name__)

# For Postgres, the calls to WeChat and to webhooks, the spool, pictures, logs and metrics.
RESERVED_FILES: Final = 128


def connection_limit(wanted: int) -> int:
    """Raise the limit of open files, and return how many connections a web process may keep.

    Children inherit the limit. A process that runs out of files can neither accept a connection nor
    reach Postgres.
    """
    files = raise_limit(wanted + RESERVED_FILES)
    most = max(files - RESERVED_FILES, files // 2)
    if most < wanted:
        log.warning("connections.limited_by_files", connections=most, wanted=wanted, files=files)
    return min(wanted, most)


def raise_limit(wanted: int) -> int:
    """Raise the soft limit of open files towards `wanted`; return the limit in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
