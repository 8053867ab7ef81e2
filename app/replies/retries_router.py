"""`/api/replies/retries`: counts the replies that a filter finds, and sends them all again."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Path, Query, Request
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.session import SessionDep
from app.replies import retry_store
from app.replies.retry_schemas import EXAMPLES, RetriesFilter, RetryCount, RetryIn, RetryOut

_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Detail, "description": "The retry does not exist"}
}

router = APIRouter(prefix="/api/replies/retries", tags=["replies"], route_class=BoundedRoute)


@router.get("/count", openapi_extra=needs(ApiScope.REPLIES_RETRY))
async def count_retryable(
    query: Annotated[RetriesFilter, Query()], request: Request, session: SessionDep
) -> RetryCount:
    """Count the replies that a retry with this filter would send again."""
    found = await _found(session, query, _now(request))
    counted = found[: retry_store.MAX_RETRIED]
    return RetryCount(count=len(counted), more=len(found) > len(counted))


@router.post("", status_code=202, openapi_extra=needs(ApiScope.REPLIES_RETRY))
async def start_retry(
    body: Annotated[RetryIn, Body(openapi_examples=EXAMPLES)],
    request: Request,
    session: SessionDep,
) -> RetryOut:
    """Send all replies again that the filter finds, the oldest 10,000 at most.

    A worker queues them one by one, behind replies to those who write now. The same `id` again
    starts nothing, and returns how far that retry is.
    """
    now, actor = _now(request), actor_of(request)
    retry_id = body.id or uuid7()
    found = (await _found(session, body, now))[: retry_store.MAX_RETRIED]
    if await retry_store.start(session, retry_id, found, operator=actor.name, now=now):
        subject = Subject(SubjectKind.REPLIES, str(retry_id))
        await audit.record(
            session, actor, Action.REPLIES_RETRIED, subject, now=now, count=len(found)
        )
    return await _progress(session, retry_id)


@router.get("/{retry_id}", responses=_NOT_FOUND, openapi_extra=needs(ApiScope.REPLIES_RETRY))
async def get_retry(
    retry_id: Annotated[UUID, Path(description="Id of the retry")], session: SessionDep
) -> RetryOut:
    """Return how far a retry is. It is kept for 30 days."""
    return await _progress(session, retry_id)


async def _found(session: SessionDep, wanted: RetriesFilter, now: datetime) -> list[UUID]:
    return list(await retry_store.retryable(session, wanted.query(), now))


async def _progress(session: SessionDep, retry_id: UUID) -> RetryOut:
    progress = await retry_store.progress(session, retry_id)
    if progress is None:
        raise HTTPException(404, f"retry {retry_id} does not exist")
    return RetryOut.model_validate(progress)


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
