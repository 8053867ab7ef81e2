"""`DELETE /api/users` and `/api/erasures`: erase a person, and read certificates."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict

from app.access.caller import actor_of
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.privacy import from_operator as requests
from app.privacy.models import Erasure, Trigger
from app.tombstones.models import Scope


class ErasureOut(BaseModel):
    """An erasure, and its certificate once it is finished.

    scope: null until the worker has decided it. finished_at: null until it is finished. counts:
    rows by table. waits_until: set while webhooks must be notified first; the next check is at that
    time, and after 24 hours the erasure does not wait any longer.

    erased: AppID and pseudonym of each OpenID. Only with the secret of the pseudonyms can one find
    out which OpenID it is.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    trigger: Trigger
    detail: str | None
    scope: Scope | None
    requested_by: str
    requested_at: datetime
    until: datetime
    finished_at: datetime | None
    waits_until: datetime | None
    counts: dict[str, int]
    erased: list[tuple[str, str]]


class _OpenIdOf(BaseModel):
    appid: WeChatId
    openid: WeChatId


router = APIRouter(tags=["privacy"], route_class=ScopedRoute)

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The user or the erasure does not exist"}
}


@router.delete(
    "/api/users/{unionid}",
    status_code=202,
    responses=_UNKNOWN,
    openapi_extra=needs(ApiScope.PEOPLE_ERASE),
)
async def erase_user(unionid: WeChatId, request: Request, session: SessionDep) -> ErasureOut:
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


@router.get(
    "/api/erasures/{erasure_id}", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_ERASE)
)
async def get_erasure(erasure_id: UUID, session: SessionDep) -> ErasureOut:
    """Read the state of an erasure; once it is finished, this is its certificate."""
    return await _erasure_out(session, erasure_id, f"erasure {erasure_id} does not exist")


async def _erasure_out(session: SessionDep, erasure_id: UUID | None, not_found: str) -> ErasureOut:
    erasure = None if erasure_id is None else await session.get(Erasure, erasure_id)
    if erasure is None:
        raise HTTPException(404, not_found)
    return ErasureOut.model_validate(erasure)
