"""Shows what is wrong with the whole link and what to do about it, and lets WeChat be asked."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.access.roles import Role
from app.console import doctor_labels
from app.console.findings import shown
from app.console.form_values import Blank
from app.console.labels import Level
from app.console.language import language_of
from app.console.messages import N_
from app.console.render import render
from app.console.section import Section
from app.console.signed_in import Editor, Viewer
from app.console.template_environment import console_path
from app.db.engine import Database
from app.db.session import SessionDep
from app.doctor import store
from app.doctor.check_request import CheckedLately, request_check
from app.doctor.doctor import Doctor
from app.doctor.finding import verdict

SEE_OTHER: Final = 303

router = APIRouter()

SECTION: Final = Section("/doctor", N_("Doctor"), "d", router)

DONE: Final = {
    "asked": (
        Level.GOOD,
        N_("A worker asks WeChat now. Open this page again in a few seconds."),
    ),
    "early": (
        Level.LOOK,
        N_("WeChat was asked less than half a minute ago. Try again in a moment."),
    ),
}


# No SessionDep: the doctor has connections of its own.
@router.get("")
async def show(
    request: Request,
    visitor: Viewer,
    done: Annotated[Blank[Literal["asked", "early"]], Query()] = None,
) -> Response:
    """Show what every check finds now, the worst first."""
    doctor: Doctor = request.app.state.doctor
    database: Database = request.app.state.database
    findings = await doctor.recent_findings()
    async with database.sessions() as session:
        checked_at = await store.last_run(session)
    return render(
        request,
        "doctor/index.html",
        notice=None if done is None else DONE[done],
        verdict=verdict(findings),
        findings=shown(findings, language_of(request)),
        checked_at=checked_at,
        may_check=visitor.role.allows(Role.EDITOR),
        editor=Role.EDITOR,
        texts=doctor_labels,
    )


@router.post("/check")
async def check(request: Request, _visitor: Editor, session: SessionDep) -> Response:
    """Let a worker ask WeChat again."""
    try:
        await request_check(session, request.app.state.clock.now())
    except CheckedLately:
        done = "early"
    else:
        done = "asked"
    return RedirectResponse(console_path(f"/doctor?done={done}"), SEE_OTHER)
