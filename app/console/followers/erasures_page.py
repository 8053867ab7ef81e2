"""Erasures: the list of them, and one with its certificate; an owner closes those nobody can do."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.roles import Role
from app.access.sessions import SignedIn
from app.console.errors import NotFound
from app.console.followers import labels
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Owner, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.privacy import store
from app.privacy.models import Erasure
from app.privacy.store import OVERDUE_AFTER, ErasureQuery, ErasureState, state_of

router = APIRouter(prefix="/erasures")

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
# What the form that closes an erasure wants to be typed.
CONFIRMATION: Final = "CLOSE"
# A request from a process whose clock is ahead is open, too.
_CLOCK_SLACK: Final = timedelta(days=1)


class ListQuery(BaseModel):
    """The filter in the address, and the cursor."""

    state: Blank[Literal["open", "overdue", "needs_person"]] = None
    before: Blank[UUID] = None

    def address(self, before: UUID | None) -> str:
        """Return the path of the list with this filter, and with another cursor."""
        values = {"state": self.state, "before": before}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"/followers/erasures?{query}" if query else "/followers/erasures"

    def query(self, now: datetime) -> ErasureQuery:
        """Return the query for the database, for one row more than is shown."""
        before = {"open": now + _CLOCK_SLACK, "overdue": now - OVERDUE_AFTER}
        return ErasureQuery(
            self.before,
            PAGE_ROWS + 1,
            needs_person=self.state == "needs_person",
            requested_before=before.get(self.state or ""),
        )


@router.get("")
async def show_all(
    request: Request, _visitor: Viewer, query: Annotated[ListQuery, Query()], session: SessionDep
) -> Response:
    """Show a page of the list. It holds no personal data."""
    now = request.app.state.clock.now()
    found = await store.page(session, query.query(now))
    shown = found[:PAGE_ROWS]
    states = (ErasureState.OPEN, ErasureState.OVERDUE, ErasureState.NEEDS_PERSON)
    return render(
        request,
        "followers/erasures.html",
        fragment="results",
        query=query,
        rows=[(one, labels.ERASURES[state_of(one, now)]) for one in shown],
        newest=query.address(None) if query.before else None,
        older=query.address(shown[-1].id) if len(found) > len(shown) else None,
        states={state.value: labels.ERASURES[state].label for state in states},
        texts=labels,
    )


@router.get("/{erasure_id}")
async def show(
    request: Request,
    visitor: Viewer,
    session: SessionDep,
    erasure_id: UUID,
    done: Annotated[Blank[Literal["closed"]], Query()] = None,
) -> Response:
    """Show how far an erasure is; once it is finished, this is its certificate."""
    notice = None if done is None else N_("The erasure is closed.")
    return await _one(request, visitor, session, erasure_id, notice=notice)


@router.post("/{erasure_id}/close")
async def close(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    erasure_id: UUID,
    confirmation: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Close an erasure that needs a person, after it was dealt with."""
    if confirmation.strip() != CONFIRMATION:
        return await _one(request, visitor, session, erasure_id, is_unconfirmed=True)
    now = request.app.state.clock.now()
    erasure = await store.close(session, erasure_id, actor=actor_of(request, visitor), now=now)
    if erasure is None:
        raise NotFound
    done = "?done=closed" if erasure.closed_by is not None else ""
    return RedirectResponse(console_path(f"/followers/erasures/{erasure_id}{done}"), SEE_OTHER)


async def _one(
    request: Request,
    visitor: SignedIn,
    session: AsyncSession,
    erasure_id: UUID,
    *,
    notice: str | None = None,
    is_unconfirmed: bool = False,
) -> Response:
    erasure = await session.get(Erasure, erasure_id)
    if erasure is None:
        raise NotFound
    state = state_of(erasure, request.app.state.clock.now())
    return render(
        request,
        "followers/erasure.html",
        fragment="main" if is_unconfirmed else "erasure",
        status=422 if is_unconfirmed else 200,
        erasure=erasure,
        state=state,
        needs_person=state is ErasureState.NEEDS_PERSON,
        is_over=erasure.finished_at is not None,
        may_close=visitor.role.allows(Role.OWNER),
        owner=Role.OWNER,
        confirmation=CONFIRMATION,
        notice=notice,
        is_unconfirmed=is_unconfirmed,
        texts=labels,
    )
