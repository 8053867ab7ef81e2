"""`/api/follow-events/export` and the other exports: whole lists as CSV or JSON Lines."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.db.engine import Database, SessionFactory
from app.events import serialize
from app.events.export import ExportSpec, Format, export
from app.events.query import FOLLOW_EVENTS, FOLLOWERS, SUBSCRIPTION_EVENTS
from app.events.query_params import FollowersOf, FollowEventsOf, SubscriptionEventsOf
from app.events.schemas import FollowerOut, FollowEventOut, SubscriptionEventOut

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One line per row; a CSV file begins with the column names",
        "content": {"text/csv": {}, "application/x-ndjson": {}},
    }
}

router = APIRouter(
    route_class=ScopedRoute,
    prefix="/api",
    tags=["events"],
    default_response_class=StreamingResponse,
    responses=_FILE,
)


def _sessions(request: Request) -> SessionFactory:
    database: Database = request.app.state.database
    return database.sessions


_Sessions = Annotated[SessionFactory, Depends(_sessions)]


class _FollowEvents(FollowEventsOf):
    format: Format


class _SubscriptionEvents(SubscriptionEventsOf):
    format: Format


class _Followers(FollowersOf):
    format: Format


@router.get("/follow-events/export", openapi_extra=needs(ApiScope.EVENTS_READ))
async def export_follow_events(
    query: Annotated[_FollowEvents, Query()], sessions: _Sessions
) -> StreamingResponse:
    """Stream follows, unfollows and scans, in the order of the list."""
    spec = ExportSpec(FOLLOW_EVENTS, serialize.follow_events, FollowEventOut)
    return await export(sessions, spec, query.list_query(), query.format)


@router.get("/subscription-events/export", openapi_extra=needs(ApiScope.EVENTS_READ))
async def export_subscription_events(
    query: Annotated[_SubscriptionEvents, Query()], sessions: _Sessions
) -> StreamingResponse:
    """Stream decisions about subscription notifications and their deliveries."""
    spec = ExportSpec(SUBSCRIPTION_EVENTS, serialize.subscription_events, SubscriptionEventOut)
    return await export(sessions, spec, query.list_query(), query.format)


@router.get("/followers/export", openapi_extra=needs(ApiScope.EVENTS_READ))
async def export_followers(
    query: Annotated[_Followers, Query()], sessions: _Sessions
) -> StreamingResponse:
    """Stream the people who follow or have followed an account."""
    spec = ExportSpec(FOLLOWERS, serialize.followers, FollowerOut)
    return await export(sessions, spec, query.list_query(), query.format)
