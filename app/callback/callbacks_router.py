"""`/api/callbacks`: lists stored pushes, and reads one with its content."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import ConfigDict, Field

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_model import ApiModel
from app.callback import store
from app.callback.schemas import CallbackOut, CallbackPage, CallbackSummary
from app.db.session import SessionDep

MAX_PAGE_ROWS = 500

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The push does not exist"}
}

router = APIRouter(prefix="/api/callbacks", tags=["callbacks"], route_class=ScopedRoute)


class _Page(ApiModel):
    """A page of the list."""

    model_config = ConfigDict(extra="forbid")

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many pushes."""


@router.get("", openapi_extra=needs(ApiScope.EVENTS_READ))
async def list_callbacks(query: Annotated[_Page, Query()], session: SessionDep) -> CallbackPage:
    """List what WeChat has pushed, the newest first, without contents."""
    rows = await store.page(session, query.before, query.limit + 1)
    shown = rows[: query.limit]
    return CallbackPage(
        items=[CallbackSummary.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


# It shows what a follower wrote, which the list does not.
@router.get("/{callback_id}", responses=_UNKNOWN, openapi_extra=needs(ApiScope.PEOPLE_READ))
async def get_callback(
    callback_id: Annotated[UUID, Path(description="Id of the push")], session: SessionDep
) -> CallbackOut:
    """Read one push with its content."""
    callback = await store.of_id(session, callback_id)
    if callback is None:
        raise HTTPException(404, f"push {callback_id} does not exist")
    return CallbackOut.model_validate(callback)
