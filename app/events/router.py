"""`/api/follow-events`, `/api/subscription-events`, `/api/followers`: lists in pages."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.db.session import SessionDep
from app.events import serialize, store
from app.events.cursor import Cursor
from app.events.query import FOLLOW_EVENTS, FOLLOWERS, SUBSCRIPTION_EVENTS
from app.events.query_params import FollowersPage, FollowEventsPage, SubscriptionEventsPage
from app.events.schemas import FollowerPage, FollowEventPage, SubscriptionEventPage

router = APIRouter(prefix="/api", tags=["events"], route_class=ScopedRoute)


@router.get("/follow-events", openapi_extra=needs(ApiScope.EVENTS_READ))
async def list_follow_events(
    query: Annotated[FollowEventsPage, Query()], session: SessionDep
) -> FollowEventPage:
    """List follows, unfollows and scans."""
    page = await store.page(session, FOLLOW_EVENTS, query.page_query())
    items = await serialize.follow_events(session, page.rows)
    return FollowEventPage(items=items, next=_text(page.next), later=_text(page.later))


@router.get("/subscription-events", openapi_extra=needs(ApiScope.EVENTS_READ))
async def list_subscription_events(
    query: Annotated[SubscriptionEventsPage, Query()], session: SessionDep
) -> SubscriptionEventPage:
    """List decisions about subscription notifications and deliveries, one row per template."""
    page = await store.page(session, SUBSCRIPTION_EVENTS, query.page_query())
    items = await serialize.subscription_events(session, page.rows)
    return SubscriptionEventPage(items=items, next=_text(page.next), later=_text(page.later))


@router.get("/followers", openapi_extra=needs(ApiScope.EVENTS_READ))
async def list_followers(
    query: Annotated[FollowersPage, Query()], session: SessionDep
) -> FollowerPage:
    """List the people who follow or have followed an account."""
    page = await store.page(session, FOLLOWERS, query.page_query())
    items = await serialize.followers(session, page.rows)
    return FollowerPage(items=items, next=_text(page.next), later=_text(page.later))


def _text(cursor: Cursor | None) -> str | None:
    return None if cursor is None else str(cursor)
