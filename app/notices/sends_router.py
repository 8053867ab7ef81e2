"""`/api/notice-sends`: notices to all who may get them, and how far each send is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request
from pydantic import ConfigDict, Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.db.session import SessionDep
from app.notices import audience_count, audience_store, examples, request_store, send_store
from app.notices.audience_schemas import (
    AudienceCount,
    AudienceIn,
    AudienceSendIn,
    SendId,
    SendOut,
    SendPage,
)
from app.notices.check_notice import checked_content
from app.notices.errors import NoticeError
from app.notices.http_errors import CONFLICT, UNKNOWN_SEND, unknown_send
from app.notices.models import NoticeSend, SendSource, SendState
from app.notices.queue_request import require_template, sample_code
from app.notices.request_store import RequestKey
from app.notices.router import IdempotencyKey
from app.settings import Settings
from app.wechat.errcodes import Language

router = APIRouter(prefix="/api/notice-sends", tags=["notices"], route_class=BoundedRoute)

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


class _Page(ApiModel):
    """Which sends, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    source: SendSource = SendSource.AUDIENCE
    """Those of audiences, or those of requests."""
    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=20, ge=1, le=100)
    """At most so many sends."""
    language: Language = "en"
    """Of `meaning` and `fix`."""


@router.post("/count", openapi_extra=needs(ApiScope.NOTICES_WRITE))
async def count_audience(
    wanted: Annotated[AudienceIn, Body(openapi_examples=examples.AUDIENCES)],
    request: Request,
    session: SessionDep,
) -> AudienceCount:
    """Count who may get a notice now: the first step before a send."""
    settings: Settings = request.app.state.settings
    template = await require_template(session, settings, wanted.appid, wanted.template_id)
    return await audience_count.count_audience(session, template, wanted)


@router.post("", status_code=202, responses=CONFLICT, openapi_extra=needs(ApiScope.NOTICES_WRITE))
async def start_send(
    wanted: Annotated[AudienceSendIn, Body(openapi_examples=examples.SENDS)],
    request: Request,
    session: SessionDep,
    idempotency_key: IdempotencyKey = None,
    language: LanguageQuery = "en",
) -> SendOut:
    """Send a notice to all who may get it and match a filter, at a rate, within the day's quota."""
    state = request.app.state
    digest, now = request_store.digest_of(wanted), state.clock.now()
    try:
        send_id = None
        if idempotency_key is not None:
            send_id = await request_store.send_of_key(session, idempotency_key, digest, now)
        if send_id is None:
            template = await require_template(
                session, state.settings, wanted.appid, wanted.template_id
            )
            code = await sample_code(session, state.notice_codes, wanted.campaign_id, now)
            send_id = await audience_store.start(
                session,
                actor_of(request),
                template,
                wanted,
                checked_content(wanted, template, state.settings.mini_programs, code),
                request=RequestKey(idempotency_key, digest),
                now=now,
                codes=state.notice_codes,
            )
    except NoticeError as error:
        raise HTTPException(409, str(error)) from None
    return await _out(session, await session.get_one(NoticeSend, send_id), language)


@router.get("", openapi_extra=needs(ApiScope.NOTICES_READ))
async def list_sends(query: Annotated[_Page, Query()], session: SessionDep) -> SendPage:
    """List sends, the newest first."""
    rows = await audience_store.page(
        session, source=query.source, before=query.before, limit=query.limit + 1
    )
    shown = rows[: query.limit]
    return SendPage(
        items=[await _out(session, row, query.language) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.get("/{send_id}", responses=UNKNOWN_SEND, openapi_extra=needs(ApiScope.NOTICES_READ))
async def get_send(send_id: SendId, session: SessionDep, language: LanguageQuery = "en") -> SendOut:
    """Read how far a send is."""
    found = await session.get(NoticeSend, send_id)
    if found is None:
        raise unknown_send(send_id)
    return await _out(session, found, language)


@router.post(
    "/{send_id}/pause",
    responses=UNKNOWN_SEND | CONFLICT,
    openapi_extra=needs(ApiScope.NOTICES_WRITE),
)
async def pause_send(
    send_id: SendId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> SendOut:
    """Send nothing more until the send is resumed. Calls that have begun are not taken back."""
    return await _change(request, session, send_id, SendState.PAUSED, language)


@router.post(
    "/{send_id}/resume",
    responses=UNKNOWN_SEND | CONFLICT,
    openapi_extra=needs(ApiScope.NOTICES_WRITE),
)
async def resume_send(
    send_id: SendId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> SendOut:
    """Go on with a paused send, such as after what WeChat refused is corrected."""
    return await _change(request, session, send_id, SendState.RUNNING, language)


@router.post(
    "/{send_id}/stop",
    responses=UNKNOWN_SEND | CONFLICT,
    openapi_extra=needs(ApiScope.NOTICES_WRITE),
)
async def stop_send(
    send_id: SendId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> SendOut:
    """End a send for good: the notices that wait are skipped."""
    return await _change(request, session, send_id, SendState.STOPPED, language)


async def _change(
    request: Request, session: SessionDep, send_id: UUID, state: SendState, language: Language
) -> SendOut:
    send = await send_store.locked(session, send_id)
    if send is None:
        raise unknown_send(send_id)
    try:
        await audience_store.change(
            session, actor_of(request), send, state, request.app.state.clock.now()
        )
    except NoticeError as error:
        raise HTTPException(409, str(error)) from None
    return await _out(session, send, language)


async def _out(session: SessionDep, send: NoticeSend, language: Language) -> SendOut:
    return SendOut.of(send, await send_store.progress(session, send.id), language)
