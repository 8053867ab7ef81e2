"""A page of the tests alone, with every component in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, FileSystemLoader
from starlette.routing import Mount

from app.console.charts import Series, bar_chart, line_chart
from app.console.gate import ConsoleGate
from app.console.live_list import LiveList, live_response
from app.console.messages import LANGUAGES
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.template_environment import environment
from tests.service import Service

HOSTILE = "<script>alert(1)</script>\u202e=cmd|' /C calc'!A0" + "x" * 4096
ZONE = "Asia/Shanghai"


class Arrivals:
    """Rows that a test lets arrive."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.polls = 0

    async def start(self) -> None:
        """Begin here."""

    async def poll(self) -> Sequence[str]:
        """Return what has come."""
        self.polls += 1
        rows, self.waiting = self.waiting, []
        return rows


def add_gallery(service: Service) -> Arrivals:
    """Add the page to the console of a service; return what feeds its live list."""
    arrivals = Arrivals()
    live_list = LiveList(arrivals.start, arrivals.poll, poll_seconds=0.05)
    router = APIRouter(prefix="/gallery")

    @router.get("")
    async def show(request: Request, _visitor: Viewer, q: str = "") -> Response:
        days = [f"11-{day:02}" for day in range(1, 31)]
        values = [float(day * 7 % 23) for day in range(30)]
        return render(
            request,
            "gallery.html",
            fragment="results",
            hostile=HOSTILE,
            q=q or "–",
            at=service.clock.now(),
            lines=line_chart(days, [Series("New", values), Series("Left", [None, *values[1:]])]),
            bars=bar_chart(["Received", "Sent"], [Series("Number", [12, 7])]),
        )

    @router.get("/stream")
    async def stream(request: Request, _visitor: Viewer) -> Response:
        return live_response(request, live_list, "".join, None)

    @router.post("/shown")
    async def shown(_visitor: Viewer) -> Response:
        return HTMLResponse("<span>oOPENID</span>")

    @router.post("/erased")
    async def erased(_visitor: Viewer, confirmation: str = Form()) -> Response:
        return HTMLResponse(f"<title>{confirmation}</title>erased")

    console_of(service).include_router(router)
    return arrivals


def console_of(service: Service) -> FastAPI:
    """Return the application of the console behind its gate."""
    mounts = [route.app for route in service.app.routes if isinstance(route, Mount)]
    (gate,) = [app for app in mounts if isinstance(app, ConsoleGate)]
    console = gate._app
    assert isinstance(console, FastAPI)
    return console


@contextmanager
def gallery_template() -> Iterator[None]:
    """Let the console find the template of the page."""
    pages = [environment(language, ZONE) for language in LANGUAGES]
    usual = [page.loader for page in pages]
    for page, loader in zip(pages, usual, strict=True):
        assert loader is not None
        page.loader = ChoiceLoader([loader, FileSystemLoader(Path(__file__).parent)])
    yield
    for page, loader in zip(pages, usual, strict=True):
        page.loader = loader
