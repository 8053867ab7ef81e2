"""The request body, bounded while it is read."""

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope


class TooLarge(Exception):
    """The body is larger than allowed."""


async def read_body(scope: Scope, receive: Receive, *, most: int) -> bytes:
    """Return the whole body.

    most: bytes. A Content-Length above it is refused unread; a body that grows past it, whatever
    was announced, is refused there. Raises TooLarge, ClientDisconnect.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > most:
            raise TooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)
