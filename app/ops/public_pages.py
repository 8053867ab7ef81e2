"""Serves the public pages that are asked most, past the middleware and the routes of the API.

Those take four fifths of the time of such a page: a request is compared with every route in turn.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.jssdk.router import page_config
from app.links.go_router import go

Page: TypeAlias = Callable[[str, Request], Awaitable[Response]]

# By what the path begins with; the rest of the path is the name that the page gets.
PAGES: Final[Mapping[str, Page]] = {"/go/": go, "/jssdk/": page_config}


class PublicPages:
    """ASGI middleware. Whatever is no GET of such a page is left to `rest`, which has them too."""

    def __init__(self, rest: ASGIApp) -> None:
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            for start, page in PAGES.items():
                name = scope["path"].removeprefix(start)
                # A name with a dot is a file, such as the script for open tags.
                if len(name) < len(scope["path"]) and name and not set(name) & {"/", "."}:
                    response = await page(name, Request(scope, receive))
                    await response(scope, receive, send)
                    return
        await self._rest(scope, receive, send)
