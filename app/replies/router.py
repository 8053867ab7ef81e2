"""`/api/replies`: every answer and its fate."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from app.api_errors import Detail
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.replies import admin_store
from app.replies.models import ReplyStatus
from app.replies.schemas import ReplyOut, ReplyPage

MAX_PAGE_ROWS = 500


_NOT_AGAIN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "There is no reply with this id"},
    409: {"model": Detail, "description": "It is sent, on its way, or its send window is over"},
}

router = APIRouter(prefix="/api/replies", tags=["replies"])


class _Filter(BaseModel):
    """Which replies to list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    status: ReplyStatus | None = None
    appid: WeChatId | None = None
    openid: WeChatId | None = None


@router.get("")
async def list_replies(wanted: Annotated[_Filter, Query()], session: SessionDep) -> ReplyPage:
    """List replies, the newest first."""
    rows = await admin_store.page(
        session,
        admin_store.ReplyQuery(
            wanted.before, wanted.limit + 1, wanted.status, wanted.appid, wanted.openid
        ),
    )
    shown = rows[: wanted.limit]
    return ReplyPage(
        items=[ReplyOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post("/{reply_id}/retry", status_code=202, responses=_NOT_AGAIN)
async def retry_reply(reply_id: UUID, request: Request, session: SessionDep) -> ReplyOut:
    """Send an unsent reply again, while its send window lasts."""
    clock: Clock = request.app.state.clock
    reply = await admin_store.send_again(session, reply_id, clock.now())
    if reply is None:
        raise HTTPException(404, "there is no reply with this id")
    if reply.status is not ReplyStatus.PENDING:
        raise HTTPException(409, f"this reply is {reply.status} and can't be sent again")
    return ReplyOut.model_validate(reply)
