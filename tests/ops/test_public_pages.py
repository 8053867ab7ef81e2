"""The public pages go past the middleware of the API, and nothing else does."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.jssdk.router import router as jssdk_router
from app.links.go_router import router as go_router
from app.ops import public_pages
from app.ops.public_pages import PAGES, PublicPages


async def _answer(scope: Scope) -> str:
    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("rest")(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await PublicPages(rest)(scope, receive, send)
    return str(sent[-1]["body"].decode())


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [
        ("GET", "/go/summer26", "page summer26"),
        ("GET", "/jssdk/wx0123456789abcdef", "page wx0123456789abcdef"),
        ("GET", "/go/", "rest"),
        ("GET", "/go", "rest"),
        ("GET", "/go/a/b", "rest"),
        ("GET", "/go/a.b", "rest"),
        ("GET", "/api/go/a", "rest"),
        ("GET", "/jssdk/v1.js", "rest"),
        ("HEAD", "/go/summer26", "rest"),
        ("POST", "/go/summer26", "rest"),
        ("OPTIONS", "/jssdk/wx0123456789abcdef", "rest"),
    ],
)
async def test_a_get_of_a_page_alone_is_served(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, served: str
) -> None:
    async def page(name: str, _: Request) -> PlainTextResponse:
        return PlainTextResponse(f"page {name}")

    monkeypatch.setattr(public_pages, "PAGES", dict.fromkeys(PAGES, page))

    assert await _answer({"type": "http", "method": method, "path": path, "headers": []}) == served


def test_the_routes_of_the_application_are_the_same_functions() -> None:
    routes = [route for router in (go_router, jssdk_router) for route in router.routes]
    served = {route.path: route.endpoint for route in routes if isinstance(route, Route)}

    for start, page in PAGES.items():
        (path,) = (path for path in served if path.startswith(f"{start}{{"))
        assert served[path] is page
