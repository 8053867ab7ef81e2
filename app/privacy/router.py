"""`DELETE /api/users` and `/api/erasures`: erase a person, and read certificates."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import ConfigDict

from app.api_errors import Detail
from app.api_model import ApiModel
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import UnionIdInPath, WeChatId
from app.privacy import from_operator as requests
from app.privacy.models import Erasure, Trigger
from app.tombstones.models import Scope


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
    counts: dict[str, int]
    """Erased rows by table."""
    erased: list[tuple[str, str]]
    """AppID and pseudonym of each OpenID. Only with the secret of the pseudonyms can one find out
    which OpenID it is.
    """


class _OpenIdOf(ApiModel):
    appid: WeChatId
    """The account."""
    openid: WeChatId
    """The person at this account."""


router = APIRouter(tags=["privacy"])

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The user or the erasure does not exist"}
}


@router.delete("/api/users/{unionid}", status_code=202, responses=_UNKNOWN)
async def erase_user(unionid: UnionIdInPath, request: Request, session: SessionDep) -> ErasureOut:
    """Erase a person at all accounts. A worker does it: read `/api/erasures/{id}` for the state."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_unionid(
        session,
        unionid,
        asked=request.app.state.settings.asked_accounts,
        operator=request.state.operator,
        now=clock.now(),
    )
    return await _erasure_out(session, opened, f"user {unionid} does not exist")


@router.delete("/api/users", status_code=202, responses=_UNKNOWN)
async def erase_user_of_openid(
    query: Annotated[_OpenIdOf, Query()], request: Request, session: SessionDep
) -> ErasureOut:
    """Erase a person at all accounts, found by the OpenID at one of them."""
    clock: Clock = request.app.state.clock
    opened = await requests.erase_openid(
        session, query.appid, query.openid, operator=request.state.operator, now=clock.now()
    )
    return await _erasure_out(
        session, opened, f"user {query.openid} of account {query.appid} does not exist"
    )


@router.get("/api/erasures/{erasure_id}", responses=_UNKNOWN)
async def get_erasure(
    erasure_id: Annotated[UUID, Path(description="Id of the erasure")], session: SessionDep
) -> ErasureOut:
    """Read the state of an erasure; once it is finished, this is its certificate."""
    return await _erasure_out(session, erasure_id, f"erasure {erasure_id} does not exist")


async def _erasure_out(session: SessionDep, erasure_id: UUID | None, not_found: str) -> ErasureOut:
    erasure = None if erasure_id is None else await session.get(Erasure, erasure_id)
    if erasure is None:
        raise HTTPException(404, not_found)
    return ErasureOut.model_validate(erasure)
