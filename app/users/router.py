"""`/api/users`: one person at all accounts, with state and timeline."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import AfterValidator, ConfigDict, Field

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_model import ApiModel
from app.clock import Clock
from app.db.session import SessionDep
from app.events import cursor
from app.events.cursor import ByTime
from app.identity import store as identity
from app.identity.schemas import UnionIdInPath, WeChatId
from app.users.read import MAX_OPENIDS, TimelinePage, read_user, rows_of
from app.users.schemas import UserOut

MAX_ENTRIES = 500


_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The user does not exist"}
}


def _of_time(text: str) -> str:
    if not isinstance(cursor.read(text), ByTime):
        raise ValueError("pass the timeline's `next`, unchanged")
    return text


class TimelineQuery(ApiModel):
    """Which part of the timeline to return."""

    model_config = ConfigDict(extra="forbid")

    before: Annotated[str, AfterValidator(_of_time), Field(max_length=80)] | None = Field(
        default=None, description="The timeline's `next` of the page before"
    )
    limit: int = Field(
        default=100, ge=1, le=MAX_ENTRIES, description="At most so many timeline entries"
    )

    def page(self) -> TimelinePage:
        """Return the part of the timeline, with the position where the page before ended."""
        position = None if self.before is None else cursor.read(self.before)
        return TimelinePage(position if isinstance(position, ByTime) else None, self.limit)


class _OpenIdOf(TimelineQuery):
    appid: WeChatId
    """The account."""
    openid: WeChatId
    """The person at this account."""


router = APIRouter(prefix="/api/users", tags=["users"], route_class=ScopedRoute)


@router.get("", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_READ))
async def find_user(
    query: Annotated[_OpenIdOf, Query()], request: Request, session: SessionDep
) -> UserOut:
    """Find a person by the OpenID at one account."""
    row = await identity.of_openid(session, query.appid, query.openid)
    if row is None:
        raise HTTPException(404, f"user {query.openid} of account {query.appid} does not exist")
    rows = await rows_of(session, row)
    return await read_user(session, row.unionid, rows, query.page(), _now(request))


@router.get("/{unionid}", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_READ))
async def get_user(
    unionid: UnionIdInPath,
    query: Annotated[TimelineQuery, Query()],
    request: Request,
    session: SessionDep,
) -> UserOut:
    """Read a person by UnionID: OpenIDs, state, consents and timeline."""
    rows = await identity.of_unionid(session, unionid, MAX_OPENIDS)
    if not rows:
        raise HTTPException(404, f"user {unionid} does not exist")
    return await read_user(session, unionid, rows, query.page(), _now(request))


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
