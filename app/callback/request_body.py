"""The request body, bounded while it is read."""

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope


class TooLarge(Exception):
    """The body is larger than allowed."""


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int) -> bytes:
    """Return the whole body.

    max_bytes: a larger Content-Length is refused before anything is read. A body that grows past
    it is refused at that point, whatever its Content-Length says. Raises TooLarge and
    ClientDisconnect.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > max_bytes:
            raise TooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)
