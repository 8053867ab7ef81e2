"""`/api/users`: who is who across the OA and its mini-programs."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from app.db.session import SessionDep
from app.identity import store
from app.identity.models import OpenIdRow
from app.identity.schemas import OpenIdOut, UserOut, WeChatId

MOST_OPENIDS = 500


class Detail(BaseModel):
    """Why a request was not carried out."""

    detail: str


_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "Nobody is known by this id"}
}

router = APIRouter(prefix="/api/users", tags=["users"])


@router.get("", responses=_UNKNOWN)
async def find_user(
    appid: Annotated[WeChatId, Query()], openid: Annotated[WeChatId, Query()], session: SessionDep
) -> UserOut:
    """Look a person up by what one account calls them."""
    row = await store.of_openid(session, appid, openid)
    if row is None:
        raise HTTPException(404, "nobody is known by this OpenID at this account")
    if row.unionid is None:
        return UserOut(unionid=None, openids=[_shown(row)])
    return await _user(session, row.unionid)


@router.get("/{unionid}", responses=_UNKNOWN)
async def get_user(unionid: WeChatId, session: SessionDep) -> UserOut:
    """Read a person: every OpenID of theirs."""
    return await _user(session, unionid)


async def _user(session: SessionDep, unionid: str) -> UserOut:
    rows = await store.of_unionid(session, unionid, MOST_OPENIDS)
    if not rows:
        raise HTTPException(404, "nobody is known by this UnionID")
    return UserOut(unionid=unionid, openids=[_shown(row) for row in rows])


def _shown(row: OpenIdRow) -> OpenIdOut:
    return OpenIdOut(
        appid=row.appid,
        openid=row.openid,
        unionid=row.unionid,
        state=row.resolve_state,
        reason=row.resolve_reason,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
    )
