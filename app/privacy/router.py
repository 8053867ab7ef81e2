"""`DELETE /api/users` and `/api/erasures`: erase a person, and read certificates."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import ConfigDict, Field

from app.access.caller import actor_of
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_model import ApiModel
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import UnionIdInPath, WeChatId
from app.privacy import from_operator as requests
from app.privacy import store
from app.privacy.models import Erasure, NeedsPerson, Trigger
from app.tombstones.models import Scope

MAX_PAGE_ROWS = 500


class ErasureOut(ApiModel):
    """An erasure, and its certificate once it is finished."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the erasure."""
    trigger: Trigger
    """What asked for it."""
    detail: str | None
    """What WeChat's event named, or why it was opened."""
    scope: Scope | None
    """Which data it removes; null until the worker has decided it."""
    requested_by: str
    """Who asked for it: the name of a token, or WeChat."""
    requested_at: datetime
    """When it was asked for."""
    until: datetime
    """Data up to this time are erased."""
    finished_at: datetime | None
    """When it was finished; null until then."""
    waits_until: datetime | None
    """Set while webhooks must be notified first: the time of the next check. After 24 hours the
    erasure waits no longer.
    """
    needs_person: NeedsPerson | None
    """Why it is not known who is meant, so that nothing is erased by itself: see the push with the
    same id.
    """
    closed_by: str | None
    """Who has dealt with that, named as in requested_by."""
    counts: dict[str, int]
    """Erased rows by table."""
    erased: list[tuple[str, str]]
    """AppID and pseudonym of each OpenID. Only with the secret of the pseudonyms can one find out
    which OpenID it is.
    """


class ErasurePage(ApiModel):
    """Erasures, the newest first."""

    items: list[ErasureOut]
    """The erasures."""
    next: UUID | None
    """Pass it as `before` for the next page; null on the last page."""


class _Filter(ApiModel):
    """Filter and page of the list."""

    model_config = ConfigDict(extra="forbid")

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many erasures."""
    needs_person: bool = False
    """true: only those that wait for a person to deal with them."""


class _OpenIdOf(ApiModel):
    appid: WeChatId
    """The account."""
    openid: WeChatId
    """The person at this account."""


router = APIRouter(tags=["privacy"], route_class=ScopedRoute)

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The user or the erasure does not exist"}
}


_ErasureId = Annotated[UUID, Path(description="Id of the erasure")]

_CANT_CLOSE: dict[int | str, dict[str, Any]] = {
    **_UNKNOWN,
    409: {"model": Detail, "description": "The erasure does not need a person"},
}


@router.delete(
    "/api/users/{unionid}",
    status_code=202,
    responses=_UNKNOWN,
    openapi_extra=needs(ApiScope.PEOPLE_ERASE),
)
async def erase_user(unionid: UnionIdInPath, request: Request, session: SessionDep) -> ErasureOut:
    """Erase a person at all accounts. A worker does it: read `/api/erasures/{id}` for the state."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_unionid(
        session,
        unionid,
        asked=request.app.state.settings.asked_accounts,
        actor=actor_of(request),
        now=clock.now(),
    )
    return await _erasure_out(session, opened, f"user {unionid} does not exist")


@router.delete(
    "/api/users", status_code=202, responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_ERASE)
)
async def erase_user_of_openid(
    query: Annotated[_OpenIdOf, Query()], request: Request, session: SessionDep
) -> ErasureOut:
    """Erase a person at all accounts, found by the OpenID at one of them."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_openid(
        session, query.appid, query.openid, actor=actor_of(request), now=clock.now()
    )
    return await _erasure_out(
        session, opened, f"user {query.openid} of account {query.appid} does not exist"
    )


@router.get("/api/erasures", openapi_extra=needs(ApiScope.PEOPLE_ERASE))
async def list_erasures(query: Annotated[_Filter, Query()], session: SessionDep) -> ErasurePage:
    """List erasures, the newest first."""
    wanted = store.ErasureQuery(query.before, query.limit + 1, query.needs_person)
    rows = await store.page(session, wanted)
    shown = rows[: query.limit]
    return ErasurePage(
        items=[ErasureOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post(
    "/api/erasures/{erasure_id}/close",
    responses=_CANT_CLOSE,
    openapi_extra=needs(ApiScope.PEOPLE_ERASE),
)
async def close_erasure(
    erasure_id: _ErasureId, request: Request, session: SessionDep
) -> ErasureOut:
    """Close an erasure that needs a person, after you have dealt with it.

    If you have found out who is meant, erase this person first.
    """
    clock: Clock = request.app.state.clock
    erasure = await store.close(session, erasure_id, actor=actor_of(request), now=clock.now())
    if erasure is None:
        raise HTTPException(404, f"erasure {erasure_id} does not exist")
    if erasure.needs_person is None:
        raise HTTPException(409, f"erasure {erasure_id} needs no person: a worker finishes it")
    return ErasureOut.model_validate(erasure)


@router.get(
    "/api/erasures/{erasure_id}", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_ERASE)
)
async def get_erasure(erasure_id: _ErasureId, session: SessionDep) -> ErasureOut:
    """Read the state of an erasure; once it is finished, this is its certificate."""
    return await _erasure_out(session, erasure_id, f"erasure {erasure_id} does not exist")


async def _erasure_out(session: SessionDep, erasure_id: UUID | None, not_found: str) -> ErasureOut:
    erasure = None if erasure_id is None else await session.get(Erasure, erasure_id)
    if erasure is None:
        raise HTTPException(404, not_found)
    return ErasureOut.model_validate(erasure)
