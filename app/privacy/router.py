"""Erasing a person on request, and the certificates of all erasures."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict

from app.api_errors import Detail
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.privacy import from_operator as requests
from app.privacy.models import Erasure, Trigger
from app.tombstones.models import Scope


class ErasureOut(BaseModel):
    """An erasure. scope, finished_at: null until it is done. counts: rows by table.

    waits_until: set while webhooks have to be told first; it goes on then, and after 24 hours at
    the latest.

    erased: AppID and pseudonym of each OpenID; only who has the secret can tell whose it is.
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


router = APIRouter(tags=["privacy"])

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "Nobody is known by this id"}
}


@router.delete("/api/users/{unionid}", status_code=202, responses=_UNKNOWN)
async def erase_user(unionid: WeChatId, request: Request, session: SessionDep) -> ErasureOut:
    """Erase a person at every account; a worker does it, `/api/erasures/{id}` tells when."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_unionid(
        session, unionid, operator=request.state.operator, now=clock.now()
    )
    return await _shown(session, opened, "nobody is known by this UnionID")


@router.delete("/api/users", status_code=202, responses=_UNKNOWN)
async def erase_user_of_openid(
    whom: Annotated[_OpenIdOf, Query()], request: Request, session: SessionDep
) -> ErasureOut:
    """Erase a person at every account, found by what one of them calls them."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_openid(
        session, whom.appid, whom.openid, operator=request.state.operator, now=clock.now()
    )
    return await _shown(session, opened, "nobody is known by this OpenID at this account")


@router.get("/api/erasures/{erasure_id}", responses=_UNKNOWN)
async def get_erasure(erasure_id: UUID, session: SessionDep) -> ErasureOut:
    """Read how an erasure stands, or its certificate."""
    return await _shown(session, erasure_id, "there is no erasure with this id")


async def _shown(session: SessionDep, erasure_id: UUID | None, unknown: str) -> ErasureOut:
    erasure = None if erasure_id is None else await session.get(Erasure, erasure_id)
    if erasure is None:
        raise HTTPException(404, unknown)
    return ErasureOut.model_validate(erasure)
