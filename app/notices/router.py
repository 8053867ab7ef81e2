"""`/api/notices`: subscription notices and template messages to named people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Header, HTTPException, Query, Request
from pydantic import ConfigDict, Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.notices import examples, request_store, store
from app.notices.errors import NoticeError
from app.notices.http_errors import CONFLICT, UNKNOWN_NOTICE, unknown_notice, unprocessable
from app.notices.models import Notice, NoticeStatus
from app.notices.queue_request import queue_request
from app.notices.schemas import (
    NoticeId,
    NoticeOut,
    NoticePage,
    NoticesIn,
    NoticesQueued,
    QueuedNotice,
)
from app.wechat.errcodes import Language

MAX_PAGE_ROWS = 500

router = APIRouter(prefix="/api/notices", tags=["notices"], route_class=BoundedRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Drawn for each request. A request that is repeated with its key within seven "
        "days queues nothing more",
    ),
]


class _Page(ApiModel):
    """Whose notices, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    send_id: UUID | None = Field(default=None, description="those of one request or audience send")
    status: NoticeStatus | None = Field(default=None, description="with `send_id`: only these")
    appid: WeChatId | None = Field(default=None, description="with `openid`: those to one person")
    openid: WeChatId | None = None
    """The person at the account `appid`."""
    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many notices."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.post("", status_code=202, responses=CONFLICT, openapi_extra=needs(ApiScope.NOTICES_WRITE))
async def queue_notices(
    wanted: Annotated[NoticesIn, Body(openapi_examples=examples.NOTICES)],
    request: Request,
    session: SessionDep,
    idempotency_key: IdempotencyKey = None,
) -> NoticesQueued:
    """Queue a notice to one person, or to up to 1,000, all of them or none.

    All values are checked first. A notice of a template with one-time consents uses up one; a
    person without one gets none. With `{code}` the campaign must have a code for each person.
    `GET /api/notices/{notice_id}` says what became of it.
    """
    state = request.app.state
    try:
        send_id = await queue_request(
            session,
            actor_of(request),
            state.settings,
            wanted,
            key=idempotency_key,
            now=state.clock.now(),
            codes=state.notice_codes,
        )
    except NoticeError as error:
        raise HTTPException(409, str(error)) from None
    queued = await request_store.queued_notices(session, send_id)
    notices = [QueuedNotice(id=notice_id, openid=openid) for notice_id, openid in queued]
    return NoticesQueued(send_id=send_id, notices=notices)


@router.get("", openapi_extra=needs(ApiScope.NOTICES_READ))
async def list_notices(query: Annotated[_Page, Query()], session: SessionDep) -> NoticePage:
    """List the notices of one request or audience send, or those to one person."""
    if query.send_id is not None and query.openid is None and query.appid is None:
        rows = await store.of_send(
            session,
            query.send_id,
            status=query.status,
            before=query.before,
            limit=query.limit + 1,
        )
    elif query.send_id is None and query.appid and query.openid and query.status is None:
        rows = await store.of_person(
            session, query.appid, query.openid, before=query.before, limit=query.limit + 1
        )
    else:
        raise unprocessable(
            "send_id", "give send_id, perhaps with status, or appid and openid", part="query"
        )
    shown = rows[: query.limit]
    return NoticePage(
        items=[NoticeOut.of(row, query.language) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.get("/{notice_id}", responses=UNKNOWN_NOTICE, openapi_extra=needs(ApiScope.NOTICES_READ))
async def get_notice(
    notice_id: NoticeId,
    session: SessionDep,
    language: Annotated[Language, Query(description="Of `meaning` and `fix`")] = "en",
) -> NoticeOut:
    """Read one notice and what became of it."""
    found = await session.get(Notice, notice_id)
    if found is None:
        raise unknown_notice(notice_id)
    return NoticeOut.of(found, language)
