"""Bounds the body of a request to `/api` while it is read: its size and its time."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

# What is left of such a body is not read, so the connection can't be used again.
CLOSE: Final = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The largest body of a route, and the time in which it must have arrived."""

    max_bytes: int
    seconds: float


_PARAMETER: Final = re.compile(r"\\\{\w+\\\}")


class BodyLimits:
    """The limits of routes by path. A part of a path in braces stands for any one part."""

    def __init__(self, limits: Mapping[str, BodyLimit]) -> None:
        self._exact = {path: limit for path, limit in limits.items() if "{" not in path}
        self._patterns = [
            (re.compile(_PARAMETER.sub("[^/]+", re.escape(path))), limit)
            for path, limit in limits.items()
            if "{" in path
        ]

    def of(self, path: str) -> BodyLimit:
        """Return the limit of a path; USUAL for one that has none."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        found = (limit for pattern, limit in self._patterns if pattern.fullmatch(path))
        return next(found, USUAL)


# No document that a route other than the import takes comes near.
USUAL: Final = BodyLimit(1024 * 1024, 30)


class BoundedBody:
    """The `receive` of one request. Raises HTTPException 413 or 408 to its reader."""

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._size = 0
        self._complete = False
        self._ends_at = asyncio.get_running_loop().time() + limit.seconds

    async def receive(self) -> Message:
        """Return the next message."""
        if self._complete:  # what comes next is the end of the connection
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends_at):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(
                408, f"the body did not arrive within {self._limit.seconds:g} seconds", CLOSE
            ) from None
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self._limit.max_bytes:
                raise too_large(self._limit)
            self._complete = not message.get("more_body", False)
        return message


def declared_length(scope: Scope) -> int:
    """Return the Content-Length; 0 if there is none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def too_large(limit: BodyLimit) -> HTTPException:
    """Return the 413 that names the limit."""
    return HTTPException(413, f"the body has more than {limit.max_bytes} bytes", CLOSE)
