"""`/api/chart-notes`: notes of operators on charts; `/api/stats/marks`: all that happened."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request
from pydantic import Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.chart_notes import store
from app.chart_notes.errors import TooManyNotes
from app.chart_notes.examples import NOTES
from app.chart_notes.marks import Span
from app.chart_notes.schemas import (
    ChartNoteIn,
    ChartNoteOut,
    ChartNotePage,
    MarkOut,
    MarksOut,
    NoteId,
)
from app.chart_notes.sources import read_marks
from app.clock import Clock
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.stats.date_range import DateRangeQuery, date_range_of

MAX_PAGE_ROWS: Final = 500
UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Detail, "description": "The note does not exist"}
}
FULL: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Detail, "description": "There are too many notes"}
}

router = APIRouter(prefix="/api", tags=["stats"], route_class=BoundedRoute)


class _Page(ApiModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many notes."""
    appid: WeChatId | None = None
    """Only notes of this account, and those of every account."""


@router.get("/chart-notes", openapi_extra=needs(ApiScope.STATS_READ))
async def list_notes(query: Annotated[_Page, Query()], session: SessionDep) -> ChartNotePage:
    """List notes, the newest first."""
    rows = await store.page(session, before=query.before, limit=query.limit + 1, appid=query.appid)
    shown = rows[: query.limit]
    return ChartNotePage(
        items=[ChartNoteOut.of(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.post(
    "/chart-notes", status_code=201, responses=FULL, openapi_extra=needs(ApiScope.CHART_NOTES_WRITE)
)
async def add_note(
    note: Annotated[ChartNoteIn, Body(openapi_examples=NOTES)],
    request: Request,
    session: SessionDep,
) -> ChartNoteOut:
    """Add a note, which the charts of these days show at once."""
    try:
        row = await store.add(session, actor_of(request), note, _now(request))
    except TooManyNotes as error:
        raise HTTPException(409, str(error)) from None
    return ChartNoteOut.of(row)


@router.put(
    "/chart-notes/{note_id}", responses=UNKNOWN, openapi_extra=needs(ApiScope.CHART_NOTES_WRITE)
)
async def replace_note(
    note_id: NoteId,
    note: Annotated[ChartNoteIn, Body(openapi_examples=NOTES)],
    request: Request,
    session: SessionDep,
) -> ChartNoteOut:
    """Replace the text, the time and the account of a note."""
    row = await store.locked(session, note_id)
    if row is None:
        raise _unknown(note_id)
    await store.replace(session, actor_of(request), row, note, _now(request))
    return ChartNoteOut.of(row)


@router.delete(
    "/chart-notes/{note_id}",
    status_code=204,
    responses=UNKNOWN,
    openapi_extra=needs(ApiScope.CHART_NOTES_WRITE),
)
async def delete_note(note_id: NoteId, request: Request, session: SessionDep) -> None:
    """Delete a note."""
    if not await store.remove(session, actor_of(request), note_id, _now(request)):
        raise _unknown(note_id)


@router.get("/stats/marks", openapi_extra=needs(ApiScope.STATS_READ))
async def list_marks(
    query: Annotated[DateRangeQuery, Query()], session: SessionDep, request: Request
) -> MarksOut:
    """List what happened on these days: changed rules, published menus, outages, and notes."""
    days = await date_range_of(session, query, _now(request))
    accounts = list(request.app.state.settings.accounts)
    appids = accounts if query.appid is None else [query.appid]
    marks = await read_marks(session, Span(appids, days))
    return MarksOut(
        since=days.since,
        until=days.until,
        time_zone=days.time_zone,
        marks=[MarkOut.of(mark) for mark in marks],
    )


def _unknown(note_id: UUID) -> HTTPException:
    return HTTPException(404, f"note {note_id} does not exist")


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
