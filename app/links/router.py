"""`/api/links`: pages of mini-programs, each with a short URL of ours that never ends."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.links import examples, store
from app.links.check_target import check_target
from app.links.days_query import DaysQuery
from app.links.errors import SlugTaken, TooManyLinks
from app.links.http_errors import CONFLICT, UNKNOWN, unknown, unprocessable
from app.links.models import Link
from app.links.schemas import (
    LinkId,
    LinkIn,
    LinkOpensOut,
    LinkOut,
    LinkPage,
    LinkReplacement,
    OpensOfDay,
)
from app.read_only import require_unchanged
from app.settings import Settings
from app.wechat.errcodes import Language

MAX_PAGE_ROWS = 500

router = APIRouter(prefix="/api/links", tags=["links"], route_class=BoundedRoute)

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


class _Page(ApiModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many links."""
    appid: WeChatId | None = None
    """Only links of this mini-program."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.get("", openapi_extra=needs(ApiScope.LINKS_READ))
async def list_links(
    query: Annotated[_Page, Query()], request: Request, session: SessionDep
) -> LinkPage:
    """List links, the newest first."""
    rows = await store.page(session, before=query.before, limit=query.limit + 1, appid=query.appid)
    shown = rows[: query.limit]
    return LinkPage(
        items=[_out(row, request, query.language) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post("", status_code=201, responses=CONFLICT, openapi_extra=needs(ApiScope.LINKS_WRITE))
async def add_link(
    link: Annotated[LinkIn, Body(openapi_examples=examples.LINKS)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> LinkOut:
    """Add a link. Its short URL works at once; the worker gets the URL Link within seconds."""
    _check(link, link.slug or "x" * 8, request)
    try:
        added = await store.add(session, actor_of(request), link, _now(request))
    except SlugTaken as error:
        raise HTTPException(409, str(error)) from None
    except TooManyLinks:
        raise HTTPException(409, f"there are {store.MAX_LINKS} links: delete one first") from None
    return _out(added, request, language)


@router.get("/{link_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.LINKS_READ))
async def get_link(
    link_id: LinkId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> LinkOut:
    """Read a link and its state."""
    found = await session.get(Link, link_id)
    if found is None:
        raise unknown(link_id)
    return _out(found, request, language)


@router.put("/{link_id}", responses=UNKNOWN | CONFLICT, openapi_extra=needs(ApiScope.LINKS_WRITE))
async def replace_link(
    link_id: LinkId,
    link: Annotated[LinkReplacement, Body(openapi_examples=examples.LINKS)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> LinkOut:
    """Replace all fields of a link by those of a body, which may be what `GET` returned.

    The earlier page stays open until WeChat has made the new URL Link. Without `slug` the present
    one is kept. `id` and `created_at` can't be changed.
    """
    stored = await store.locked(session, link_id)
    if stored is None:
        raise unknown(link_id)
    require_unchanged(link, stored, "id", "created_at")
    _check(link, link.slug or stored.slug, request)
    try:
        await store.replace(session, actor_of(request), stored, link, _now(request))
    except SlugTaken as error:
        raise HTTPException(409, str(error)) from None
    return _out(stored, request, language)


@router.delete(
    "/{link_id}",
    status_code=204,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.LINKS_WRITE),
)
async def delete_link(link_id: LinkId, request: Request, session: SessionDep) -> None:
    """Delete a link and its figures. Its short URL is not found any more, within two seconds."""
    if not await store.remove(session, actor_of(request), link_id, _now(request)):
        raise unknown(link_id)


@router.post(
    "/{link_id}/renew",
    status_code=202,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.LINKS_WRITE),
)
async def renew_link(
    link_id: LinkId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> LinkOut:
    """Let the worker ask WeChat for another URL Link now, such as after a refusal is resolved."""
    stored = await store.locked(session, link_id)
    if stored is None:
        raise unknown(link_id)
    await store.renew_now(session, actor_of(request), stored, _now(request))
    return _out(stored, request, language)


@router.get("/{link_id}/opens", responses=UNKNOWN, openapi_extra=needs(ApiScope.LINKS_READ))
async def get_opens(
    link_id: LinkId, query: Annotated[DaysQuery, Query()], request: Request, session: SessionDep
) -> LinkOpensOut:
    """Read how often a link was opened, by day, once for each visitor and minute."""
    if await session.get(Link, link_id) is None:
        raise unknown(link_id)
    since, until = query.days(_now(request))
    days = await store.opens_by_day(session, link_id, since, until)
    return LinkOpensOut(items=[OpensOfDay(day=day, **kinds) for day, kinds in days.items()])


def _check(link: LinkIn, slug: str, request: Request) -> None:
    settings: Settings = request.app.state.settings
    problem = check_target(link, slug, settings.accounts)
    if problem is not None:
        raise unprocessable(*problem)


def _out(link: Link, request: Request, language: Language) -> LinkOut:
    settings: Settings = request.app.state.settings
    return LinkOut.of(link, settings.base_url, language)


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
