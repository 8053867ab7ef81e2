"""`GET /go/{slug}`: the public short URL of a link. It never calls WeChat."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app import refs
from app.clock import Clock
from app.links import pages
from app.links.live_links import LiveLink
from app.links.models import OpenKind
from app.links.opens import Opens
from app.links.schemas import SLUG_PATTERN, short_url
from app.links.slug_cache import SlugCache, SlugUnavailable
from app.links.target_query import MAX_CQ, own_query, with_cq
from app.links.visitor import MAX_AGENT, Visitor, visitor_of
from app.settings import Settings

_SLUG: Final = re.compile(SLUG_PATTERN)
MAX_ADDRESS: Final = 64
RETRY_AFTER_SECONDS: Final = 60

router = APIRouter()


@dataclass(frozen=True, slots=True)
class GoState:
    """What a web process needs for short URLs."""

    links: SlugCache[LiveLink]
    opens: Opens
    clock: Clock
    settings: Settings


@router.api_route("/go/{slug}", methods=["GET", "HEAD"], include_in_schema=False)
async def go(slug: str, request: Request) -> Response:
    """Send a visitor to the mini-program, or show how to get there.

    `cq`: data of this recipient, which the mini-program gets beside the query of the link.
    """
    state: GoState = request.app.state.go
    if _SLUG.fullmatch(slug) is None:
        return _page(pages.unknown_page(), 404)
    try:
        link = await state.links.find(slug)
    except SlugUnavailable:
        return _unavailable("微信小程序")
    if link is None:
        return _page(pages.unknown_page(), 404)
    # Starlette looks through all of them for each one that is asked for.
    headers = dict(request.headers)
    kind, response = _open(state, link, request, headers)
    agent = headers.get("user-agent", "")[:MAX_AGENT]
    state.opens.add(link.id, kind, _address_of(request, headers), agent)
    return response


def _address_of(request: Request, headers: Mapping[str, str]) -> str:
    """Return the visitor's address, as the proxy before the service names it.

    It only tells visitors apart: who makes it up is counted more often, and could be so anyway.
    """
    forwarded = headers.get("x-forwarded-for", "").partition(",")[0].strip()
    return forwarded[:MAX_ADDRESS] or (request.client.host if request.client else "")


def _open(
    state: GoState, link: LiveLink, request: Request, headers: Mapping[str, str]
) -> tuple[OpenKind, Response]:
    # Most have no query, and to parse an empty one takes as long as to parse one.
    given = request.query_params.get("cq", "")[:MAX_CQ] if request.scope["query_string"] else ""
    visitor = visitor_of(request.method, headers)
    if visitor is Visitor.PREVIEW:
        return OpenKind.PREVIEW, _page(pages.preview_page(link.name))
    url_link = link.url_link_at(state.clock.now())
    if url_link is None:
        return OpenKind.FALLBACK, _fall_back(link)
    own = own_query(link.query, link.slug, refs.of_link(link.id))
    target = with_cq(url_link, (own, given))
    if visitor is Visitor.DESKTOP:
        address = short_url(state.settings.base_url, link.slug)
        if given:
            address = f"{address}?cq={quote(given, safe='')}"
        return OpenKind.DESKTOP, _page(pages.desktop_page(link.name, address, target))
    return OpenKind.MINI_PROGRAM, _redirect(target)


def _fall_back(link: LiveLink) -> Response:
    return _unavailable(link.name) if link.fallback_url is None else _redirect(link.fallback_url)


def _redirect(target: str) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(target, 302, headers)


def _unavailable(name: str) -> Response:
    response = _page(pages.unavailable_page(name), 503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _page(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, pages.HEADERS)
