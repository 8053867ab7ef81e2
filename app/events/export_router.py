"""`/api/follow-events/export` and its like: whole lists as CSV or JSON Lines."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from app.db.engine import Database
from app.events import tell
from app.events.export import Format, export
from app.events.filters import FollowersOf, FollowEventsOf, SubscriptionEventsOf
from app.events.schemas import FollowerOut, FollowEventOut, SubscriptionEventOut
from app.events.wanted import FOLLOW_EVENTS, FOLLOWERS, SUBSCRIPTION_EVENTS

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One line a row; CSV begins with the column names",
        "content": {"text/csv": {}, "application/x-ndjson": {}},
    }
}

router = APIRouter(
    prefix="/api", tags=["events"], default_response_class=StreamingResponse, responses=_FILE
)


class _FollowEvents(FollowEventsOf):
    format: Format


class _SubscriptionEvents(SubscriptionEventsOf):
    format: Format


class _Followers(FollowersOf):
    format: Format


@router.get("/follow-events/export")
async def export_follow_events(
    wanted: Annotated[_FollowEvents, Query()], request: Request
) -> StreamingResponse:
    """Stream follows, unfollows and scans, in the order of the list."""
    database: Database = request.app.state.database
    return await export(
        database.sessions,
        FOLLOW_EVENTS,
        wanted.wanted(),
        tell=tell.follow_events,
        shape=FollowEventOut,
        written_as=wanted.format,
    )


@router.get("/subscription-events/export")
async def export_subscription_events(
    wanted: Annotated[_SubscriptionEvents, Query()], request: Request
) -> StreamingResponse:
    """Stream answers to subscription notifications and their deliveries."""
    database: Database = request.app.state.database
    return await export(
        database.sessions,
        SUBSCRIPTION_EVENTS,
        wanted.wanted(),
        tell=tell.subscription_events,
        shape=SubscriptionEventOut,
        written_as=wanted.format,
    )


@router.get("/followers/export")
async def export_followers(
    wanted: Annotated[_Followers, Query()], request: Request
) -> StreamingResponse:
    """Stream who follows, or followed, which account."""
    database: Database = request.app.state.database
    return await export(
        database.sessions,
        FOLLOWERS,
        wanted.wanted(),
        tell=tell.followers,
        shape=FollowerOut,
        written_as=wanted.format,
    )
