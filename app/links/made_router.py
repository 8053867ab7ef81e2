"""`/api/links/{id}/…`: links that are made for one recipient."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Request, Response

from app.access import audit
from app.access.actions import Action
from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.engine import Database
from app.links import examples
from app.links.errors import QuotaUsedUp
from app.links.http_errors import UNKNOWN, unknown, unprocessable
from app.links.make import LinkMaker, PlainQueryTooLong, plain_scheme
from app.links.models import Link
from app.links.schemas import CodeIn, LinkId, MadeLink, SchemeIn, ShortLinkIn
from app.links.store import subject_of
from app.wechat.errors import ApiError
from app.wechat.media_format import ending_of
from app.wechat_client.refusal import REFUSED, refused, slow_down

router = APIRouter(prefix="/api/links", tags=["links"], route_class=BoundedRoute)

_PICTURES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/png": {}, "image/jpeg": {}}, "description": "The picture"}
}


@router.post(
    "/{link_id}/url-scheme",
    status_code=201,
    responses=UNKNOWN | REFUSED,
    openapi_extra=needs(ApiScope.LINKS_WRITE),
)
async def make_url_scheme(
    link_id: LinkId,
    wanted: Annotated[SchemeIn, Body(openapi_examples=examples.SCHEMES)],
    request: Request,
) -> MadeLink:
    """Make a URL Scheme (`weixin://dl/business/?t=…`), which iOS opens from SMS and browsers."""
    link = await _link(link_id, request)
    with _refusals(_maker(request).clock):
        made = await _maker(request).url_scheme(link, wanted)
    await _note(link_id, request)
    return made


@router.post(
    "/{link_id}/short-link",
    status_code=201,
    responses=UNKNOWN | REFUSED,
    openapi_extra=needs(ApiScope.LINKS_WRITE),
)
async def make_short_link(
    link_id: LinkId,
    wanted: Annotated[ShortLinkIn, Body(openapi_examples=examples.SHORT_LINKS)],
    request: Request,
) -> MadeLink:
    """Make a short link (`#小程序://…`), which opens inside WeChat alone."""
    link = await _link(link_id, request)
    with _refusals(_maker(request).clock):
        made = await _maker(request).short_link(link, wanted)
    await _note(link_id, request)
    return made


@router.get("/{link_id}/plain-scheme", responses=UNKNOWN, openapi_extra=needs(ApiScope.LINKS_READ))
async def get_plain_scheme(link_id: LinkId, request: Request) -> MadeLink:
    """Return a plain scheme. It needs no call, but its path must be declared in the console."""
    link = await _link(link_id, request)
    try:
        return plain_scheme(link)
    except PlainQueryTooLong as error:
        raise unprocessable("query", str(error), part="path") from None


@router.post(
    "/{link_id}/mini-program-code",
    responses=UNKNOWN | REFUSED | _PICTURES,
    response_class=Response,
    openapi_extra=needs(ApiScope.LINKS_WRITE),
)
async def make_mini_program_code(
    link_id: LinkId,
    wanted: Annotated[CodeIn, Body(openapi_examples=examples.CODES)],
    request: Request,
) -> Response:
    """Make a mini-program code of the unlimited kind, and return the picture."""
    link = await _link(link_id, request)
    with _refusals(_maker(request).clock):
        picture = await _maker(request).mini_program_code(link, wanted)
    await _note(link_id, request)
    kind = "png" if ending_of(picture) == "png" else "jpeg"
    return Response(picture, media_type=f"image/{kind}")


@contextmanager
def _refusals(clock: Clock) -> Iterator[None]:
    """Turn what WeChat refuses, or would refuse, into the answer that says so."""
    try:
        yield
    except QuotaUsedUp as error:
        raise slow_down(str(error), error.until, clock.now()) from None
    except ApiError as error:
        raise refused(error, clock.now()) from None


async def _link(link_id: LinkId, request: Request) -> Link:
    # In a transaction of its own, since WeChat is called afterwards.
    database: Database = request.app.state.database
    async with database.sessions() as session:
        found = await session.get(Link, link_id)
    if found is None:
        raise unknown(link_id)
    return found


async def _note(link_id: LinkId, request: Request) -> None:
    """Note once an hour who makes them: a program may make one for each of its recipients."""
    state = request.app.state
    database: Database = state.database
    async with database.sessions.begin() as session:
        await audit.record_hourly(
            session,
            actor_of(request),
            Action.LINK_FORM_MADE,
            subject_of(link_id),
            now=state.clock.now(),
        )


def _maker(request: Request) -> LinkMaker:
    maker: LinkMaker = request.app.state.link_maker
    return maker
