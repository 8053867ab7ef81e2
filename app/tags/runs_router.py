"""`/api/tag-runs`: how far jobs are that read tags or tag many followers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.tags import run_store
from app.tags.errors import TagError
from app.tags.http_errors import CONFLICT, UNKNOWN, failed, unknown_run
from app.tags.models import TagRun
from app.tags.schemas import RefusedPeople, RefusedPerson, RunId, TagRunOut, TagRunPage
from app.wechat.errcodes import Language, explain

router = APIRouter(prefix="/api/tag-runs", tags=["tags"], route_class=BoundedRoute)

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


class _Page(ApiModel):
    """Which runs, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = None
    """Only runs of this Official Account."""
    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=20, ge=1, le=100)
    """At most so many runs."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


class _Refused(ApiModel):
    """Which page of the refused people."""

    model_config = ConfigDict(extra="forbid")

    after: WeChatId | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=500)
    """At most so many people."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.get("", openapi_extra=needs(ApiScope.TAGS_READ))
async def list_tag_runs(query: Annotated[_Page, Query()], session: SessionDep) -> TagRunPage:
    """List runs, the newest first."""
    rows = await run_store.page(
        session, appid=query.appid, before=query.before, limit=query.limit + 1
    )
    shown = rows[: query.limit]
    return TagRunPage(
        items=[TagRunOut.of(row, query.language) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.get("/{run_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.TAGS_READ))
async def get_tag_run(
    run_id: RunId, session: SessionDep, language: LanguageQuery = "en"
) -> TagRunOut:
    """Read how far a run is."""
    run = await session.get(TagRun, run_id)
    if run is None:
        raise unknown_run(run_id)
    return TagRunOut.of(run, language)


@router.get("/{run_id}/refused", responses=UNKNOWN, openapi_extra=needs(ApiScope.TAGS_READ))
async def list_refused_people(
    run_id: RunId, query: Annotated[_Refused, Query()], session: SessionDep
) -> RefusedPeople:
    """List the people of a run whom WeChat refused. They are kept for RETENTION_DAYS."""
    if await session.get(TagRun, run_id) is None:
        raise unknown_run(run_id)
    rows = await run_store.refused(session, run_id, query.after or "", query.limit + 1)
    shown = rows[: query.limit]
    return RefusedPeople(
        items=[_refused(row.openid, row.errcode or 0, query.language) for row in shown],
        next=shown[-1].openid if len(rows) > len(shown) else None,
    )


@router.post(
    "/{run_id}/stop", responses=UNKNOWN | CONFLICT, openapi_extra=needs(ApiScope.TAGS_WRITE)
)
async def stop_tag_run(
    run_id: RunId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> TagRunOut:
    """End a run. Who is tagged already stays so."""
    run = await run_store.locked(session, run_id)
    if run is None:
        raise unknown_run(run_id)
    try:
        await run_store.stop(session, actor_of(request), run, _now(request))
    except TagError as error:
        raise failed(error) from None
    return TagRunOut.of(run, language)


def _refused(openid: str, errcode: int, language: Language) -> RefusedPerson:
    known = explain(errcode, language, None)
    return RefusedPerson(openid=openid, errcode=errcode, meaning=known.meaning, fix=known.fix)


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
