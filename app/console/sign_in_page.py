"""Signs an operator in with a link that works once, and out again."""

import math
from datetime import timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from app.access import sessions, sign_in
from app.access.random_secret import MAX_SECRET_CHARACTERS
from app.access.sign_in import Refused
from app.console.render import render
from app.console.session_cookie import clear_session, set_session
from app.console.signed_in import Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of, address_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303

log = structlog.get_logger(__name__)

router = APIRouter()

Secret = Annotated[str, Path(max_length=MAX_SECRET_CHARACTERS)]


@router.get("/sign-in/{secret}")
async def show(request: Request) -> Response:
    """Show the button. Opening a link does not use it up: chats open links for a preview."""
    return render(request, "sign_in.html", refused=False)


@router.post("/sign-in/{secret}")
async def take(request: Request, secret: Secret, session: SessionDep) -> Response:
    """Use the link up and start a session."""
    outcome = await sign_in.sign_in(
        session,
        secret,
        address=address_of(request),
        user_agent=request.headers.get("user-agent"),
        now=request.app.state.clock.now(),
    )
    if isinstance(outcome, Refused):
        log.warning("console.sign_in_refused", address=address_of(request))
        return _refused(request, outcome.wait)
    response = RedirectResponse(console_path("/"), SEE_OTHER)
    set_session(request, response, outcome.secret)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, visitor: Viewer, session: SessionDep) -> Response:
    """End the session of this browser."""
    now = request.app.state.clock.now()
    await sessions.end(session, actor_of(request, visitor), visitor.session_id, now=now)
    response = RedirectResponse(console_path("/"), SEE_OTHER)
    clear_session(request, response)
    return response


def _refused(request: Request, wait: timedelta | None) -> Response:
    """Return the page for a link that signs nobody in; wait: set after too many attempts."""
    if wait is None:
        return render(request, "sign_in.html", status=403, refused=True)
    seconds = math.ceil(wait.total_seconds())
    headers = {"Retry-After": str(seconds)}
    return render(request, "sign_in.html", status=429, headers=headers, refused=True)
