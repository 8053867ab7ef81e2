"""`/api/replies`: lists replies and sends one again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import Field

from app.access.caller import actor_of
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_model import ApiModel
from app.api_time import Time
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.replies import admin_store, attempt_store
from app.replies.models import ReplyStatus
from app.replies.schemas import AttemptOut, ReplyOut, ReplyPage, ReplyWithAttempts
from app.wechat.errcodes import Language

MAX_PAGE_ROWS = 500
MAX_RULE_ID = 2**63 - 1
MAX_ERRCODE = 2**31 - 1


_CANT_RETRY: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The reply does not exist"},
    409: {"model": Detail, "description": "The reply is sent, is being sent, or is too late"},
}

router = APIRouter(prefix="/api/replies", tags=["replies"], route_class=ScopedRoute)


class _Filter(ApiModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many replies."""
    status: ReplyStatus | None = None
    """Only replies in this state."""
    appid: WeChatId | None = None
    """Only replies of this account."""
    openid: WeChatId | None = None
    """Only replies to this person."""
    rule_id: int | None = Field(default=None, ge=1, le=MAX_RULE_ID)
    """Only replies of this rule."""
    errcode: int | None = Field(default=None, ge=-MAX_ERRCODE, le=MAX_ERRCODE)
    """Only replies whose last attempt ended with this errcode."""
    msgtype: str | None = Field(default=None, min_length=1, max_length=32, pattern="^[a-z_]+$")
    """Only replies of this kind, as `miniprogrampage`."""
    since: Time | None = Field(
        default=None,
        alias="from",
        description="Only replies to callbacks that arrived then or later",
    )
    until: Time | None = None
    """Only replies to callbacks that arrived before."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.get("", openapi_extra=needs(ApiScope.REPLIES_READ))
async def list_replies(query: Annotated[_Filter, Query()], session: SessionDep) -> ReplyPage:
    """List replies, the newest first.

    With a filter other than `openid`, `status` or a time a page may have fewer entries than
    `limit`, or none, although there are more: as long as `next` is not null, go on with it.
    """
    wanted = query.model_dump(exclude={"language"})
    found = await admin_store.page(session, admin_store.ReplyQuery(**wanted))
    return ReplyPage(
        items=[ReplyOut.of(row, query.language) for row in found.rows], next=found.next
    )


@router.get(
    "/{reply_id}",
    responses={404: {"model": Detail, "description": "The reply does not exist"}},
    openapi_extra=needs(ApiScope.REPLIES_READ),
)
async def get_reply(
    reply_id: Annotated[UUID, Path(description="Id of the reply")],
    session: SessionDep,
    language: Annotated[Language, Query(description="Of `meaning` and `fix`")] = "en",
) -> ReplyWithAttempts:
    """Return one reply with every attempt to send it."""
    reply = await admin_store.of_id(session, reply_id)
    if reply is None:
        raise HTTPException(404, f"reply {reply_id} does not exist")
    shown = ReplyWithAttempts.of(reply, language)
    made = await attempt_store.of_replies(session, [reply_id])
    shown.attempts_made = [AttemptOut.of(attempt, language) for attempt in made.get(reply_id, ())]
    return shown


@router.post(
    "/{reply_id}/retry",
    status_code=202,
    responses=_CANT_RETRY,
    openapi_extra=needs(ApiScope.REPLIES_RETRY),
)
async def retry_reply(
    reply_id: Annotated[UUID, Path(description="Id of the reply")],
    request: Request,
    session: SessionDep,
    language: Annotated[Language, Query(description="Of `meaning` and `fix`")] = "en",
) -> ReplyOut:
    """Send an unsent reply again. This is possible until its send window ends."""
    clock: Clock = request.app.state.clock
    reply = await admin_store.send_again(session, actor_of(request), reply_id, clock.now())
    if reply is None:
        raise HTTPException(404, f"reply {reply_id} does not exist")
    if reply.status is not ReplyStatus.PENDING:
        raise HTTPException(409, f"reply {reply_id} is {reply.status} and can't be sent again")
    return ReplyOut.of(reply, language)
