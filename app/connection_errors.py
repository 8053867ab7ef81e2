"""Tells apart why a connection failed, since the HTTP clients raise one type for most. Pure."""

import ssl
from collections.abc import Iterator
from enum import Enum, auto
from socket import gaierror

import aiohttp
import httpx


class ConnectionProblem(Enum):
    """Why there was no answer. UNREACHABLE: no connection, for a reason that is none of these."""

    NAME_NOT_FOUND = auto()
    TLS_FAILED = auto()
    TIMED_OUT = auto()
    REFUSED = auto()
    UNREACHABLE = auto()


# The first that fits an error, or a cause of it, counts: a failed TLS handshake, for example, is a
# ConnectError to httpx as well, and a ClientConnectorError to aiohttp.
_TYPES: tuple[tuple[ConnectionProblem, tuple[type[BaseException], ...]], ...] = (
    (ConnectionProblem.NAME_NOT_FOUND, (gaierror, UnicodeError)),
    # Before TLS: a handshake that takes too long is both.
    (ConnectionProblem.TIMED_OUT, (TimeoutError, httpx.TimeoutException)),
    (ConnectionProblem.TLS_FAILED, (ssl.SSLError,)),
    (ConnectionProblem.REFUSED, (ConnectionRefusedError,)),
    (ConnectionProblem.UNREACHABLE, (httpx.ConnectError, aiohttp.ClientConnectorError)),
)


def problem_of(error: BaseException) -> ConnectionProblem | None:
    """Return why a call failed; None if it failed after a connection was made, and not by time."""
    causes = list(causes_of(error))
    for problem, types in _TYPES:
        if any(isinstance(cause, types) for cause in causes):
            return problem
    return None


def is_cut_handshake(error: BaseException) -> bool:
    """Tell whether a host, or somebody on the way, ended a TLS handshake; for aiohttp."""
    # Connecting alone ends in no such error: a host that refuses has one of its own.
    return isinstance(error, aiohttp.ClientConnectorError) and any(
        isinstance(cause, ConnectionResetError | ConnectionAbortedError)
        for cause in causes_of(error)
    )


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes; those of each address, where several were tried."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from causes_of(part)
        error = error.__cause__ or error.__context__
