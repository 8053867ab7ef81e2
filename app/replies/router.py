"""`/api/replies`: lists replies and sends one again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from app.access.caller import actor_of
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.replies import admin_store
from app.replies.models import ReplyStatus
from app.replies.schemas import ReplyOut, ReplyPage

MAX_PAGE_ROWS = 500


_CANT_RETRY: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The reply does not exist"},
    409: {"model": Detail, "description": "The reply is sent, is being sent, or is too late"},
}

router = APIRouter(prefix="/api/replies", tags=["replies"], route_class=ScopedRoute)


class _Filter(BaseModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    status: ReplyStatus | None = None
    appid: WeChatId | None = None
    openid: WeChatId | None = None


@router.get("", openapi_extra=needs(ApiScope.REPLIES_READ))
async def list_replies(query: Annotated[_Filter, Query()], session: SessionDep) -> ReplyPage:
    """List replies, the newest first."""
    rows = await admin_store.page(
        session,
        admin_store.ReplyQuery(
            query.before, query.limit + 1, query.status, query.appid, query.openid
        ),
    )
    shown = rows[: query.limit]
    return ReplyPage(
        items=[ReplyOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post(
    "/{reply_id}/retry",
    status_code=202,
    responses=_CANT_RETRY,
    openapi_extra=needs(ApiScope.REPLIES_RETRY),
)
async def retry_reply(reply_id: UUID, request: Request, session: SessionDep) -> ReplyOut:
    """Send an unsent reply again. This is possible until its send window ends."""
    clock: Clock = request.app.state.clock
    reply = await admin_store.send_again(session, actor_of(request), reply_id, clock.now())
    if reply is None:
        raise HTTPException(404, f"reply {reply_id} does not exist")
    if reply.status is not ReplyStatus.PENDING:
        raise HTTPException(409, f"reply {reply_id} is {reply.status} and can't be sent again")
    return ReplyOut.model_validate(reply)
