"""Operators: who may use the console, with which role; and the links with which they sign in."""

from collections.abc import Awaitable
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators, sign_in_links
from app.access.actor import Actor
from app.access.errors import AccessError, NotFound
from app.access.models import Operator
from app.access.roles import Role
from app.console import errors, sessions_page
from app.console.access_messages import message_of
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render
from app.console.section import Section
from app.console.session_cookie import origin_of
from app.console.signed_in import Owner
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303

router = APIRouter()
router.include_router(sessions_page.router)

SECTION: Final = Section("/operators", N_("Operators and tokens"), "o", router)

DONE: Final = {
    "role": N_("The role is changed. It holds from the next click on."),
    "disabled": N_("The operator is disabled and signed out everywhere."),
    "enabled": N_("The operator may sign in again, with a new link."),
}


@router.get("")
async def show(
    request: Request,
    _visitor: Owner,
    session: SessionDep,
    done: Annotated[Blank[Literal["role", "disabled", "enabled"]], Query()] = None,
) -> Response:
    """List the operators, with a form for a further one."""
    return await _list(request, session, done=done)


@router.post("/add")
async def add(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    role: Annotated[Role, Form()] = Role.VIEWER,
) -> Response:
    """Add an operator, and show the link for them."""
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    try:
        added = await operators.add(session, actor, name, role, now=now)
    except AccessError as error:
        return await _list(
            request, session, status=422, name=name, role=role, name_error=message_of(error)
        )
    return await _link(request, session, actor, added)


@router.post("/{operator_id}/link")
async def make_link(
    request: Request, visitor: Owner, session: SessionDep, operator_id: UUID
) -> Response:
    """Make a link for an operator, and show it once."""
    found = await session.get(Operator, operator_id)
    if found is None:
        raise errors.NotFound
    try:
        return await _link(request, session, actor_of(request, visitor), found)
    except AccessError as error:
        return await _list(request, session, status=422, failure=message_of(error))


@router.post("/{operator_id}/role")
async def change_role(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    operator_id: UUID,
    role: Annotated[Role, Form()],
) -> Response:
    """Give an operator another role."""
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    changing = operators.change_role(session, actor, operator_id, role, now=now)
    return await _changed(request, session, changing, "role")


@router.post("/{operator_id}/disable")
async def disable(
    request: Request, visitor: Owner, session: SessionDep, operator_id: UUID
) -> Response:
    """Sign an operator out everywhere, and let nobody in under the name."""
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    changing = operators.disable(session, actor, operator_id, now=now)
    return await _changed(request, session, changing, "disabled")


@router.post("/{operator_id}/enable")
async def enable(
    request: Request, visitor: Owner, session: SessionDep, operator_id: UUID
) -> Response:
    """Let an operator sign in again."""
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    changing = operators.enable(session, actor, operator_id, now=now)
    return await _changed(request, session, changing, "enabled")


async def _changed(
    request: Request, session: AsyncSession, changing: Awaitable[Operator], done: str
) -> Response:
    """Carry a change out and go back to the list; say there why it can't be done."""
    try:
        await changing
    except NotFound:
        raise errors.NotFound from None
    except AccessError as error:
        return await _list(request, session, status=422, failure=message_of(error))
    return RedirectResponse(console_path(f"/operators?done={done}"), SEE_OTHER)


async def _link(
    request: Request, session: AsyncSession, actor: Actor, operator: Operator
) -> Response:
    now = request.app.state.clock.now()
    secret = await sign_in_links.make(session, actor, operator, now=now)
    return render(
        request,
        "operators/link.html",
        operator=operator,
        link=sign_in_links.link_of(origin_of(request), secret),
        expires_at=now + sign_in_links.LIFETIME,
    )


async def _list(
    request: Request,
    session: AsyncSession,
    *,
    status: int = 200,
    done: str | None = None,
    failure: str | None = None,
    name: str = "",
    role: Role = Role.VIEWER,
    name_error: str | None = None,
) -> Response:
    return render(
        request,
        "operators/index.html",
        status=status,
        operators=await operators.read_all(session),
        done=DONE[done] if done else None,
        failure=failure,
        name=name,
        role=role,
        name_error=name_error,
        roles=list(Role),
    )
