"""`GET /qr/{slug}.png` and `.svg`: the public picture of a code. It never calls WeChat."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import State

from app.clock import Clock
from app.db.engine import Database
from app.links import pages
from app.links.schemas import SLUG_PATTERN
from app.links.slug_cache import SlugCache, SlugUnavailable
from app.qrcodes.draw import MEDIA_TYPES, PictureFormat, plain_picture
from app.qrcodes.live_codes import LiveCode, read_code

# A code lives on for a week after its renewal, so that a browser may keep its picture.
CACHE_SECONDS: Final = 3600
RETRY_AFTER_SECONDS: Final = 60
_SLUG: Final = re.compile(SLUG_PATTERN)
_NAME: Final = "二维码"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class PictureState:
    """What a web process needs for public pictures."""

    codes: SlugCache[LiveCode]
    clock: Clock


def serve_pictures(state: State) -> None:
    """Set `qrcodes` of the state of the application."""
    database: Database = state.database
    state.qrcodes = PictureState(SlugCache(database.sessions, read_code), state.clock)


@router.api_route("/qr/{slug}.png", methods=["GET", "HEAD"], include_in_schema=False)
async def png(slug: str, request: Request) -> Response:
    """Return the picture as PNG."""
    return await _picture(slug, "png", request)


@router.api_route("/qr/{slug}.svg", methods=["GET", "HEAD"], include_in_schema=False)
async def svg(slug: str, request: Request) -> Response:
    """Return the picture as SVG."""
    return await _picture(slug, "svg", request)


async def _picture(slug: str, picture_format: PictureFormat, request: Request) -> Response:
    state: PictureState = request.app.state.qrcodes
    if _SLUG.fullmatch(slug) is None:
        return HTMLResponse(pages.unknown_page(), 404, pages.HEADERS)
    try:
        code = await state.codes.find(slug)
    except SlugUnavailable:
        return _unavailable()
    if code is None:
        return HTMLResponse(pages.unknown_page(), 404, pages.HEADERS)
    url = code.url_at(state.clock.now())
    if url is None:
        return _unavailable()
    content = await asyncio.to_thread(plain_picture, url, picture_format)
    headers = {
        "Cache-Control": f"public, max-age={CACHE_SECONDS}",
        "Content-Security-Policy": "default-src 'none'",
        # Pages of other sites show it.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(content, media_type=MEDIA_TYPES[picture_format], headers=headers)


def _unavailable() -> Response:
    headers = {**pages.HEADERS, "Retry-After": str(RETRY_AFTER_SECONDS)}
    return HTMLResponse(pages.unavailable_page(_NAME), 503, headers)
