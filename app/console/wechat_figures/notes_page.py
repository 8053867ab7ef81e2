"""Notes of operators on charts: the list, with a form for a further one."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Annotated, Final, Literal, TypeVar
from uuid import UUID

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.chart_notes import store
from app.chart_notes.errors import TooManyNotes
from app.chart_notes.schemas import MAX_TEXT, ChartNoteIn
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.console.wechat_figures.router import router
from app.db.session import SessionDep
from app.settings import Settings

T = TypeVar("T")

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
MAX_TYPED: Final = 2000
PROBLEMS: Final = {
    "text": N_("Write what happened, in at most 200 characters."),
    "day": N_("Choose a day, such as 2026-11-28."),
    "time": N_("Write a time such as 14:30, or leave the field empty."),
    "appid": N_("Choose one of the accounts."),
}
FULL: Final = N_("There are too many notes: delete some first.")
DONE: Final = {
    "added": N_("The note is added. The charts of its day show it."),
    "deleted": N_("The note is deleted."),
}


class NoteForm(BaseModel):
    """A note as typed. time: empty for the whole day."""

    text: str = Field(default="", max_length=MAX_TYPED)
    day: str = Field(default="", max_length=MAX_TYPED)
    time: str = Field(default="", max_length=MAX_TYPED)
    appid: str = Field(default="", max_length=MAX_TYPED)

    def read(self, request: Request) -> tuple[ChartNoteIn | None, dict[str, str]]:
        """Return the note, or None and what is wrong by field, to be translated."""
        settings: Settings = request.app.state.settings
        problems: dict[str, str] = {}
        day = _read(date.fromisoformat, self.day)
        clock = _read(time.fromisoformat, self.time) if self.time.strip() else None
        if day is None:
            problems["day"] = PROBLEMS["day"]
        if self.time.strip() and (clock is None or clock.tzinfo is not None):
            problems["time"] = PROBLEMS["time"]
        if self.appid and self.appid not in settings.accounts:
            problems["appid"] = PROBLEMS["appid"]
        if problems or day is None:
            return None, problems
        at = None if clock is None else datetime.combine(day, clock, zone_of(request))
        try:
            note = ChartNoteIn.model_validate(
                {
                    "text": self.text.strip(),
                    "day": day if at is None else None,
                    "at": at,
                    "appid": self.appid or None,
                }
            )
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]}
            return None, {
                name: PROBLEMS[name] for name in {"day" if one == "at" else one for one in wrong}
            }
        return note, {}


@router.get("/notes")
async def show_notes(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    before: Annotated[Blank[UUID], Query()] = None,
    done: Annotated[Blank[Literal["added", "deleted"]], Query()] = None,
) -> Response:
    """List notes, the newest first."""
    return await _show(request, session, NoteForm(), before=before, done=done)


@router.post("/notes/add")
async def add_note(
    request: Request, visitor: Editor, session: SessionDep, form: Annotated[NoteForm, Form()]
) -> Response:
    """Add a note."""
    note, problems = form.read(request)
    if note is None:
        return await _show(request, session, form, problems=problems)
    try:
        await store.add(session, actor_of(request, visitor), note, request.app.state.clock.now())
    except TooManyNotes:
        return await _show(request, session, form, problems={"text": FULL})
    return RedirectResponse(console_path("/figures/notes?done=added"), SEE_OTHER)


@router.post("/notes/{note_id}/delete")
async def delete_note(
    request: Request, visitor: Editor, note_id: UUID, session: SessionDep
) -> Response:
    """Delete a note."""
    now = request.app.state.clock.now()
    if not await store.remove(session, actor_of(request, visitor), note_id, now):
        raise NotFound
    return RedirectResponse(console_path("/figures/notes?done=deleted"), SEE_OTHER)


async def _show(
    request: Request,
    session: AsyncSession,
    form: NoteForm,
    *,
    before: UUID | None = None,
    done: str | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    settings: Settings = request.app.state.settings
    found = await store.page(session, before=before, limit=PAGE_ROWS + 1)
    notes = found[:PAGE_ROWS]
    return render(
        request,
        "figures/notes.html",
        status=422 if problems else 200,
        notes=notes,
        older=notes[-1].id if len(found) > PAGE_ROWS else None,
        newest=before is not None,
        accounts=[(appid, appid) for appid in settings.accounts],
        form=form,
        problems=problems or {},
        done=None if done is None else DONE[done],
        max_text=MAX_TEXT,
    )


def _read(parse: Callable[[str], T], typed: str) -> T | None:
    try:
        return parse(typed.strip())
    except ValueError:
        return None
