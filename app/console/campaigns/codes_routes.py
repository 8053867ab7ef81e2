"""Adds codes to a campaign: from a file, or drawn by the service."""

from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile

from app.access import audit
from app.access.actions import Action
from app.campaigns import store
from app.campaigns.schemas import DrawIn
from app.codes import import_store
from app.codes.errors import BadCodes, KeyReused, TooManyCodes
from app.codes.receive import receive
from app.console.campaigns.edit_page import read
from app.console.campaigns.one_page import show
from app.console.campaigns.router import router
from app.console.messages import N_
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.engine import Database
from app.db.session import SessionDep

SEE_OTHER: Final = 303
PIECE_BYTES: Final = 65_536
DETAILS_SHOWN: Final = 10
NO_FILE: Final = N_("Choose a file first.")
BAD_FILE: Final = N_("No code was added: correct these lines, and send the file again.")
FULL: Final = N_("The campaign has as many codes as it may have.")
BAD_COUNT: Final = N_("Write a number from 1 to 1000000.")
BAD_PREFIX: Final = N_("At most 16 letters, digits, and - . _ ~ alone.")


class DrawForm(BaseModel):
    """Codes to be drawn, as typed. key: of the page, so that a repeated click draws once."""

    count: str = Field(default="", max_length=20)
    prefix: str = Field(default="", max_length=100)
    key: str = Field(default="", max_length=64)


@router.post("/{campaign_id}/codes")
async def send_file(request: Request, visitor: Editor, campaign_id: UUID) -> Response:
    """Check the codes of a file, and let the worker add them."""
    database: Database = request.app.state.database
    clock = request.app.state.clock
    problem, details = NO_FILE, tuple[str, ...]()
    async with database.sessions.begin() as session:
        await read(session, campaign_id)
    async with request.form(max_files=1, max_fields=5) as form:
        file = form.get("file")
        if isinstance(file, UploadFile) and file.filename:
            try:
                await receive(database.sessions, clock, campaign_id, _pieces(file))
                problem = ""
            except BadCodes as error:
                problem, details = BAD_FILE, tuple(error.problems[:DETAILS_SHOWN])
            except TooManyCodes:
                problem = FULL
    async with database.sessions.begin() as session:
        if problem:
            campaign = await read(session, campaign_id)
            return await show(
                request, session, campaign, problems={"file": problem}, details=details
            )
        await audit.record(
            session,
            actor_of(request, visitor),
            Action.CODES_IMPORTED,
            store.subject_of(campaign_id),
            now=clock.now(),
        )
    return RedirectResponse(console_path(f"/campaigns/{campaign_id}?done=codes"), SEE_OTHER)


@router.post("/{campaign_id}/drawn")
async def draw(
    request: Request,
    visitor: Editor,
    campaign_id: UUID,
    session: SessionDep,
    form: Annotated[DrawForm, Form()],
) -> Response:
    """Let the worker draw codes."""
    campaign, now = await read(session, campaign_id), request.app.state.clock.now()
    try:
        wanted = DrawIn(
            count=int(form.count) if form.count.strip().isdecimal() else 0,
            prefix=form.prefix.strip(),
            key=form.key,
        )
        await import_store.draw(
            session,
            campaign_id,
            count=wanted.count,
            prefix=wanted.prefix,
            length=wanted.length,
            key=wanted.key,
            now=now,
        )
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False)}
        problems = {"prefix": BAD_PREFIX} if "prefix" in wrong else {"count": BAD_COUNT}
        return await show(request, session, campaign, problems=problems)
    except (TooManyCodes, KeyReused):
        return await show(request, session, campaign, problems={"count": FULL})
    await audit.record(
        session,
        actor_of(request, visitor),
        Action.CODES_DRAWN,
        store.subject_of(campaign_id),
        now=now,
    )
    return RedirectResponse(console_path(f"/campaigns/{campaign_id}?done=codes"), SEE_OTHER)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE_BYTES):
        yield piece
