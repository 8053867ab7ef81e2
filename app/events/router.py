"""`/api/follow-events`, `/api/subscription-events`, `/api/followers`: a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.db.session import SessionDep
from app.events import serialize, store
from app.events.query import FOLLOW_EVENTS, FOLLOWERS, SUBSCRIPTION_EVENTS
from app.events.query_params import FollowersPage, FollowEventsPage, SubscriptionEventsPage
from app.events.schemas import FollowerPage, FollowEventPage, SubscriptionEventPage

router = APIRouter(prefix="/api", tags=["events"])


@router.get("/follow-events")
async def list_follow_events(
    wanted: Annotated[FollowEventsPage, Query()], session: SessionDep
) -> FollowEventPage:
    """List follows, unfollows and scans."""
    page = await store.page(session, FOLLOW_EVENTS, wanted.page_wanted())
    items = await serialize.follow_events(session, page.rows)
    return FollowEventPage(items=items, next=_shown(page.next), later=_shown(page.later))


@router.get("/subscription-events")
async def list_subscription_events(
    wanted: Annotated[SubscriptionEventsPage, Query()], session: SessionDep
) -> SubscriptionEventPage:
    """List answers to subscription notifications and their deliveries, one row a template."""
    page = await store.page(session, SUBSCRIPTION_EVENTS, wanted.page_wanted())
    items = await serialize.subscription_events(session, page.rows)
    return SubscriptionEventPage(items=items, next=_shown(page.next), later=_shown(page.later))


@router.get("/followers")
async def list_followers(
    wanted: Annotated[FollowersPage, Query()], session: SessionDep
) -> FollowerPage:
    """List who follows, or followed, which account."""
    page = await store.page(session, FOLLOWERS, wanted.page_wanted())
    items = await serialize.followers(session, page.rows)
    return FollowerPage(items=items, next=_shown(page.next), later=_shown(page.later))


def _shown(place: object | None) -> str | None:
    return None if place is None else str(place)
