"""The sessions of all operators, each of which can be ended."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.access import sessions
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.render import render
from app.console.signed_in import Owner
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303

router = APIRouter(prefix="/sessions")


@router.get("")
async def show(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    done: Annotated[Blank[Literal["ended"]], Query()] = None,
) -> Response:
    """List the sessions that are valid, the newest first."""
    now = request.app.state.clock.now()
    return render(
        request,
        "operators/sessions.html",
        rows=await sessions.read_all(session, now=now),
        own=visitor.session_id,
        done=done,
    )


@router.post("/{session_id}/end")
async def end(request: Request, visitor: Owner, session: SessionDep, session_id: UUID) -> Response:
    """End a session: its browser is signed out."""
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    if not await sessions.revoke(session, actor, session_id, now=now):
        raise NotFound
    return RedirectResponse(console_path("/operators/sessions?done=ended"), SEE_OTHER)
