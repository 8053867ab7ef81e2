"""One send: how far it is, what became of its notices, and its pause, resumption and end."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.errors import NotFound
from app.console.failure_phrases import failures_in
from app.console.followers.references import references, tail
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.notices.notice_labels import REASONS, STATES, STATUSES
from app.console.notices.router import router
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.notices import audience_store, send_store, store
from app.notices.audience_schemas import problem_of
from app.notices.errors import WrongState
from app.notices.models import Notice, NoticeSend, NoticeStatus, SendState
from app.tombstones.subject import is_erased
from app.wechat.errcodes import Language, explain

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
WAITING: Final = (NoticeStatus.PENDING, NoticeStatus.SENDING)


class ResultQuery(BaseModel):
    """Which notices are listed."""

    status: Blank[NoticeStatus] = None
    before: Blank[UUID] = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many notices do not wait any more."""

    done: int
    total: int
    ended: bool


@router.get("/sends/{send_id}")
async def show_send(
    send_id: UUID,
    request: Request,
    _visitor: Viewer,
    query: Annotated[ResultQuery, Query()],
    session: SessionDep,
) -> Response:
    """Show a send and a page of its notices."""
    send = await _send(session, send_id)
    counts = await send_store.progress(session, send_id)
    rows = await store.of_send(
        session, send_id, status=query.status, before=query.before, limit=PAGE_ROWS + 1
    )
    shown = rows[:PAGE_ROWS]
    language = language_of(request)
    make = await references(session, request.app.state.settings)
    address = f"/notices/sends/{send_id}"
    status = "" if query.status is None else f"status={query.status.value}"
    older = f"{address}?{status}&before={shown[-1].id}" if len(rows) > len(shown) else None
    waits = send.wait_until is not None and send.wait_until > request.app.state.clock.now()
    return render(
        request,
        "notices/send.html",
        fragment="results",
        send=send,
        progress=_progress(send, counts),
        problem=problem_of(send, language),
        waits_until=send.wait_until if waits and send.ended_at is None else None,
        states=STATES,
        statuses=STATUSES,
        words=REASONS,
        figures=[(one, counts[one.value]) for one in NoticeStatus if one.value in counts],
        options={one.value: STATUSES[one].label for one in NoticeStatus},
        chosen=None if query.status is None else query.status.value,
        rows=[
            (
                None if is_erased(one.openid) else make.make(one.appid, one.openid),
                tail(one.openid),
                one,
                _reason(one, language),
            )
            for one in shown
        ],
        newest=f"{address}?{status}" if query.before else None,
        older=older,
    )


@router.get("/sends/{send_id}/progress")
async def show_progress(
    send_id: UUID, request: Request, _visitor: Viewer, session: SessionDep
) -> Response:
    """Show how far a send is; when it goes on no more, the page is loaded again."""
    send = await _send(session, send_id)
    progress = _progress(send, await send_store.progress(session, send_id))
    headers = {"HX-Refresh": "true"} if progress.ended else None
    return render(request, "notices/progress.html", headers=headers, send=send, progress=progress)


@router.post("/sends/{send_id}/pause")
async def pause(send_id: UUID, request: Request, visitor: Editor, session: SessionDep) -> Response:
    """Send nothing more until the send is resumed."""
    return await _change(request, visitor, session, send_id, SendState.PAUSED)


@router.post("/sends/{send_id}/resume")
async def resume(send_id: UUID, request: Request, visitor: Editor, session: SessionDep) -> Response:
    """Go on with a paused send."""
    return await _change(request, visitor, session, send_id, SendState.RUNNING)


@router.post("/sends/{send_id}/stop")
async def stop(send_id: UUID, request: Request, visitor: Editor, session: SessionDep) -> Response:
    """End a send for good."""
    return await _change(request, visitor, session, send_id, SendState.STOPPED)


async def _change(
    request: Request, visitor: Editor, session: AsyncSession, send_id: UUID, state: SendState
) -> Response:
    send = await send_store.locked(session, send_id)
    if send is None:
        raise NotFound
    try:
        await audience_store.change(
            session, actor_of(request, visitor), send, state, request.app.state.clock.now()
        )
    except WrongState:  # somebody else was faster; the page shows what is so
        await session.rollback()
    return RedirectResponse(console_path(f"/notices/sends/{send_id}"), SEE_OTHER)


async def _send(session: AsyncSession, send_id: UUID) -> NoticeSend:
    send = await session.get(NoticeSend, send_id)
    if send is None:
        raise NotFound
    return send


def _progress(send: NoticeSend, counts: dict[str, int]) -> Progress:
    waiting = sum(counts.get(status.value, 0) for status in WAITING)
    is_over = send.ended_at is not None or send.state is SendState.PAUSED
    return Progress(send.total - waiting, send.total, is_over)


def _reason(notice: Notice, language: Language) -> str:
    if notice.errcode is not None:
        return f"{notice.errcode}: {explain(notice.errcode, language, notice.rid).meaning}"
    return notice.result or failures_in(language)(notice.errmsg or "")
