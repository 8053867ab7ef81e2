"""Opens every page, part and file of the console that somebody can reach by its links."""

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape
from typing import Final

import httpx
from starlette.routing import compile_path

from tests.console.operator import Operator
from tests.console.test_roles import ROUTES

GETS: Final = [
    (route.path, compile_path(f"/console{route.path}")[0])
    for route in ROUTES
    if route.method == "GET"
]
ADDRESS: Final = re.compile(
    r'<(?:a\b[^>]* href|form\b(?![^>]* method="post")[^>]* action|img\b[^>]* src|\w+\b[^>]* hx-get)'
    r'="/console(/[^"#]*)'
)
# It has no end; its rows are those of the list, see test_message_streams.py.
ENDLESS: Final = "/messages/stream"
# Files of the browser, the same for everybody.
STATIC: Final = "/static/{digest}/{name:path}"
# Views of one route that are opened: more differ in a figure alone.
MOST: Final = 3


def route_of(path: str) -> str | None:
    """Return the route that answers a path; None if there is none."""
    bare = "/console" + re.split("[?#]", path)[0]
    return next((route for route, pattern in GETS if pattern.match(bare)), None)


async def crawl(
    operator: Operator, start: Iterable[str], *, parts: bool = True
) -> dict[str, httpx.Response]:
    """Return every answer by its path. parts: also as htmx asks for them."""
    found: dict[str, httpx.Response] = {}
    opened: Counter[str] = Counter()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        route = route_of(path)
        if path in found or route in (None, ENDLESS, STATIC) or opened[str(route)] >= MOST:
            continue
        opened[str(route)] += 1
        found[path] = await operator.get(path)
        if found[path].headers["Content-Type"].startswith("text/html"):
            waiting += [unescape(address) for address in ADDRESS.findall(found[path].text)]
            if parts:
                found[f"{path}#part"] = await operator.get_part(path)
    return found
