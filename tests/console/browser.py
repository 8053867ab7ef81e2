"""Chromium against the console: one browser a test process, and a window for each view.

The tests run in the event loop of the session, as the browser does. The service runs in it, too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright._impl._api_structures import SetCookieParam
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    async_playwright,
    expect,
)
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.roles import Role
from app.console.session_cookie import LOOPBACK_NAME
from tests.chromium import CHROMIUM
from tests.console.operator import session_of
from tests.service import Service
from tests.waiting import PATIENCE_SECONDS, eventually

# As root Chromium has no sandbox; the others keep it from looking for what is not this test's.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
AXE: Final = Axe()
expect.set_options(timeout=PATIENCE_SECONDS * 1000)
HEIGHT: Final = 800
# A page of the same origin, so that the next one needs no other process of the browser.
NOWHERE: Final = "/nowhere"
# For a page without an icon Chromium would ask for one, and whichever service came next refuse it.
EMPTY: Final = '<!doctype html><link rel="icon" href="data:,">'


@dataclass(frozen=True, slots=True)
class View:
    """How a page is looked at."""

    language: str = "zh"
    scheme: str = "light"
    width: int = 1280

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.width}"


# Every language, scheme and width meets each other in the first four; all eight would see no more.
VIEWS: Final = tuple(
    View(language, scheme, width)
    for language, scheme, width in (
        ("zh", "light", 360),
        ("zh", "dark", 1280),
        ("en", "dark", 360),
        ("en", "light", 1280),
        ("en", "dark", 1280),
    )
)
# Axe takes most of the time: it sees each language, scheme and width, but in two views.
EXAMINED: Final = (View("zh", "light", 360), View("en", "dark", 1280))


@dataclass
class Faults:
    """What a page did that it must not do."""

    origin: str
    violations: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect from a page."""
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if "Content Security Policy" in text:
            self.violations.append(text)
        elif kind in {"error", "warning"}:
            self.console.append(text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.origin, "data:")):
            self.requests.append(url)

    def forget(self) -> None:
        """Forget everything."""
        for found in (self.violations, self.console, self.requests):
            found.clear()

    @property
    def all(self) -> list[str]:
        """Everything."""
        return [*self.violations, *self.console, *self.requests]


async def has_started(server: uvicorn.Server) -> bool:
    """Tell whether a server listens."""
    return server.started


class QuietServer(uvicorn.Server):
    """A server in the tests' loop, which leaves signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Stage:
    """A port that stays while the services behind it change, so that a browser's cache stays.

    app: the service of the test that runs.
    """

    app: ASGIApp | None = None
    origin: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == NOWHERE:
            await Response(EMPTY, media_type="text/html")(scope, receive, send)
            return
        assert self.app is not None, "no service is behind this port"
        await self.app(scope, receive, send)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a port of this machine; yields its origin."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None)
    server = QuietServer(config)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: has_started(server))
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    server.force_exit = True
    await running


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@dataclass
class Visit:
    """A browser window in which somebody uses the console."""

    origin: str
    context: BrowserContext
    page: Page
    faults: Faults

    async def open(self, path: str) -> None:
        """Open a page. path: below the console."""
        await self.page.goto(f"{self.origin}/console{path}")

    async def accessibility_faults(self) -> list[str]:
        """Return what axe finds on the page that is open."""
        results = await AXE.run(self.page)
        return [
            f"{found['id']}: {node['target']} {node['failureSummary']}"
            for found in results.response["violations"]
            for node in found["nodes"]
        ]

    async def is_wider_than_the_window(self) -> bool:
        """Tell whether the page as a whole has to be moved sideways."""
        wide: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide

    async def leave(self) -> None:
        """Leave the page and its service, as somebody who was never here."""
        await self.page.goto(f"{self.origin}{NOWHERE}")
        await self.context.clear_cookies()
        self.faults.forget()


@dataclass
class ConsoleInBrowser:
    """The console of a running service, and the browser.

    kept: windows that other tests have looked through, by their view.
    """

    browser: Browser
    service: Service
    origin: str
    kept: dict[View, Visit] = field(default_factory=dict)

    @asynccontextmanager
    async def visit(self, view: View, *, role: Role | None = Role.OWNER) -> AsyncIterator[Visit]:
        """Open a window, signed in with a role; None: not signed in."""
        visit = await self._opened(view)
        try:
            await self._sign_in(visit, view, role)
            yield visit
        finally:
            await visit.context.close()

    @asynccontextmanager
    async def look(self, view: View, *, role: Role | None = Role.OWNER) -> AsyncIterator[Visit]:
        """Do the same in a window that stays for the next test.

        To open a window takes Chromium longer than to show a page. After a fault it is closed.
        """
        visit = self.kept.pop(view, None) or await self._opened(view)
        try:
            await self._sign_in(visit, view, role)
            yield visit
            await visit.leave()
        except BaseException:
            await visit.context.close()
            raise
        self.kept[view] = visit

    async def _opened(self, view: View) -> Visit:
        context = await self.browser.new_context(
            color_scheme="dark" if view.scheme == "dark" else "light",
            viewport={"width": view.width, "height": HEIGHT},
            locale="zh-CN" if view.language == "zh" else "en-US",
        )
        page = await context.new_page()
        faults = Faults(self.origin)
        faults.watch(page)
        return Visit(self.origin, context, page, faults)

    async def _sign_in(self, visit: Visit, view: View, role: Role | None) -> None:
        if role is not None:
            secret = await session_of(self.service, f"{role} {view}", role, view.language)
            cookie: SetCookieParam = {"name": LOOPBACK_NAME, "value": secret, "url": self.origin}
            await visit.context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Strict"}])
