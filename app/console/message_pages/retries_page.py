"""Sends all replies again that filters let through: first how many, then how far, then results."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.callback import message_store
from app.callback.message_filter import MessageFilter
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.message_pages import labels
from app.console.message_pages.query import MessageFilters
from app.console.render import render
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.funnel.steps import basis_of
from app.replies import retry_store

router = APIRouter(prefix="/retries")

PAGE_ROWS: Final = 100
LATEST: Final = 50


class StartForm(MessageFilters):
    """The filters as they were counted. retry_id: drawn with the page, so that one starts once."""

    retry_id: UUID


class ResultQuery(BaseModel):
    """The page of the results. before: the last reply of the page before."""

    before: Blank[UUID] = None


@router.get("")
async def show_all(request: Request, _visitor: Viewer, session: SessionDep) -> Response:
    """Show the latest retries."""
    found = await retry_store.latest(session, LATEST)
    return render(request, "messages/retries.html", retries=found)


@router.get("/new")
async def ask(
    request: Request,
    _visitor: Editor,
    filters: Annotated[MessageFilters, Query()],
    session: SessionDep,
) -> Response:
    """Say how many replies would be sent again."""
    now = request.app.state.clock.now()
    found = await message_store.retryable(session, _wanted(request, filters), now)
    shown = found[: retry_store.MAX_RETRIED]
    fates = sorted({one.fate for one in shown})
    return render(
        request,
        "messages/retry.html",
        count=len(shown),
        by_fate=[(fate, sum(one.fate is fate for one in shown)) for fate in fates],
        is_cut=len(found) > len(shown),
        most=retry_store.MAX_RETRIED,
        filters=filters,
        retry_id=uuid7(),
        back=filters.address("/messages"),
        texts=labels,
    )


@router.post("")
async def start(
    request: Request, visitor: Editor, form: Annotated[StartForm, Form()], session: SessionDep
) -> Response:
    """Start a retry. The same form sent twice starts one."""
    now = request.app.state.clock.now()
    found = await message_store.retryable(session, _wanted(request, form), now)
    reply_ids = [one.id for one in found[: retry_store.MAX_RETRIED]]
    started = await retry_store.start(
        session, form.retry_id, reply_ids, operator=visitor.name, now=now
    )
    if started:
        await audit.record(
            session,
            actor_of(request, visitor),
            Action.REPLIES_RETRIED,
            Subject(SubjectKind.REPLIES, str(form.retry_id)),
            now=now,
            count=len(reply_ids),
        )
    return RedirectResponse(console_path(f"/messages/retries/{form.retry_id}"), 303)


@router.get("/{retry_id}")
async def show(
    retry_id: UUID,
    request: Request,
    _visitor: Viewer,
    query: Annotated[ResultQuery, Query()],
    session: SessionDep,
) -> Response:
    """Show how far a retry is, and what became of each reply."""
    progress = await retry_store.progress(session, retry_id)
    if progress is None:
        raise NotFound
    rows = await retry_store.results(session, retry_id, before=query.before, limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    address = f"/messages/retries/{retry_id}"
    older = f"{address}?before={shown[-1].reply_id}" if len(rows) > len(shown) else None
    return render(
        request,
        "messages/retry_results.html",
        progress=progress,
        rows=shown,
        newest=address if query.before else None,
        older=older,
        texts=labels,
    )


@router.get("/{retry_id}/progress")
async def show_progress(
    retry_id: UUID, request: Request, _visitor: Viewer, session: SessionDep
) -> Response:
    """Show how far a retry is; at its end the page is loaded again, with the results."""
    progress = await retry_store.progress(session, retry_id)
    if progress is None:
        raise NotFound
    headers = None if progress.ended_at is None else {"HX-Refresh": "true"}
    return render(request, "messages/progress.html", headers=headers, progress=progress)


def _wanted(request: Request, filters: MessageFilters) -> MessageFilter:
    return filters.filter(basis_of(request.app.state.settings))
