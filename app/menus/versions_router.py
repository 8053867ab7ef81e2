"""`/api/menus/{appid}/versions`: what was published, and what was found at WeChat."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.menus import store
from app.menus.errors import MenuError, UnknownVersion
from app.menus.http_errors import CONFLICT, UNKNOWN, conflict, official_account
from app.menus.schemas import (
    MAX_NUMBER,
    AccountId,
    DraftOut,
    Number,
    VersionOut,
    VersionPage,
    WholeVersionOut,
)
from app.settings import Settings
from app.wechat.errcodes import Language

MAX_PAGE_ROWS = 100

router = APIRouter(prefix="/api/menus", tags=["menus"], route_class=BoundedRoute)

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


class _Page(ApiModel):
    """Page of the list."""

    before: int | None = Field(
        default=None, ge=1, le=MAX_NUMBER, description="`next` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MAX_PAGE_ROWS)
    """At most so many versions."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.get("/{appid}/versions", responses=UNKNOWN, openapi_extra=needs(ApiScope.MENUS_READ))
async def list_versions(
    appid: AccountId, query: Annotated[_Page, Query()], request: Request, session: SessionDep
) -> VersionPage:
    """List versions, the newest first: who published what when, and what became of it."""
    official_account(request, appid)
    rows = await store.versions(session, appid, before=query.before, limit=query.limit + 1)
    shown = rows[: query.limit]
    return VersionPage(
        items=[VersionOut.of(row, query.language) for row in shown],
        next=shown[-1].number if len(rows) > len(shown) else None,
    )


@router.get(
    "/{appid}/versions/{number}", responses=UNKNOWN, openapi_extra=needs(ApiScope.MENUS_READ)
)
async def get_version(
    appid: AccountId,
    number: Number,
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> WholeVersionOut:
    """Read a version with its menu."""
    official_account(request, appid)
    found = await store.version_of(session, appid, number)
    if found is None:
        raise conflict(UnknownVersion(number))
    return WholeVersionOut.of(found, language)


@router.post(
    "/{appid}/versions/{number}/restore",
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.MENUS_WRITE),
)
async def restore_version(
    appid: AccountId,
    number: Number,
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> DraftOut:
    """Make the menu of a version the draft. Followers see nothing of it until it is published."""
    official_account(request, appid)
    try:
        account = await store.restore(session, actor_of(request), appid, number, _now(request))
    except MenuError as error:
        raise conflict(error) from None
    publishing = await store.unfinished(session, appid)
    settings: Settings = request.app.state.settings
    return DraftOut.of(account, publishing, settings.mini_programs, language)


@router.post(
    "/{appid}/versions/{number}/stop",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.MENUS_WRITE),
)
async def stop_version(
    appid: AccountId,
    number: Number,
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> VersionOut:
    """Stop a publication that is not over, and restore what followers saw before.

    Once the earlier conditional menus are being deleted it is too late (409): undo it afterwards.
    """
    official_account(request, appid)
    try:
        version = await store.stop(session, actor_of(request), appid, number, _now(request))
    except MenuError as error:
        raise conflict(error) from None
    return VersionOut.of(version, language)


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
