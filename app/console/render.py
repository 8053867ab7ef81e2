"""Renders a template as a page, or as the part of one that htmx asks for."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Template

from app.console.language import language_of
from app.console.template_environment import console_path, environment
from app.console.visitor import visitor_of

MAIN: Final = "main"


def is_htmx(request: Request) -> bool:
    """Tell whether htmx sends a request, and so wants a part of a page."""
    return request.headers.get("hx-request") == "true" and (
        request.headers.get("hx-history-restore-request") != "true"
    )


def zone_of(request: Request) -> tzinfo:
    """Return the time zone of the pages."""
    return ZoneInfo(request.app.state.settings.console_time_zone)


def own_path(request: Request) -> str:
    """Return the path with which a browser opens the page again, or else that of its section."""
    path, query = request.url.path, request.url.query
    if request.method in ("GET", "HEAD"):
        return f"{path}?{query}" if query else path
    sections = (console_path(section.path) for section in request.app.state.console_sections)
    return next((section for section in sections if path.startswith(section)), path)


def render(
    request: Request,
    template: str,
    *,
    fragment: str = MAIN,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """Return a page. fragment: the block of the template that is all that htmx gets."""
    settings = request.app.state.settings
    pages = environment(language_of(request), settings.console_time_zone)
    found = pages.get_template(template)
    context = {
        "request": request,
        "visitor": visitor_of(request),
        "own_path": own_path(request),
        "sections": request.app.state.console_sections,
        **values,
    }
    text = _block(found, fragment, context) if is_htmx(request) else found.render(context)
    return HTMLResponse(text, status_code=status, headers=headers)


def _block(template: Template, name: str, values: Mapping[str, object]) -> str:
    """Render one block, with what the template imports and sets outside of its blocks."""
    context = template.new_context(dict(values))
    # It runs these statements before the first piece of the layout, where it is left.
    page = template.root_render_func(context)
    next(page, None)  # there is none if the block is empty
    return "".join(template.blocks[name](context))
