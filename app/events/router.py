"""`/api/follow-events` and `/api/subscription-events`: the history, a page at a time."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.db.session import SessionDep
from app.events import store
from app.events.models import FollowEvent, SubscriptionEvent
from app.events.schemas import (
    FollowEventOut,
    FollowEventPage,
    SubscriptionEventOut,
    SubscriptionEventPage,
)
from app.events.store import Wanted
from app.identity.schemas import WeChatId

MOST_A_PAGE = 500

router = APIRouter(prefix="/api", tags=["events"])


class _Filter(BaseModel):
    """Which events to list."""

    after: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MOST_A_PAGE)
    appid: WeChatId | None = None
    openid: WeChatId | None = None
    unionid: WeChatId | None = None

    def wanted(self) -> Wanted:
        """One more than the page holds, to tell whether another follows."""
        return Wanted(self.after, self.limit + 1, self.appid, self.openid, self.unionid)


@router.get("/follow-events")
async def list_follow_events(
    wanted: Annotated[_Filter, Query()], session: SessionDep
) -> FollowEventPage:
    """List follows and unfollows in the order of arrival."""
    rows = await store.page(session, FollowEvent, wanted.wanted())
    shown = rows[: wanted.limit]
    return FollowEventPage(
        items=[FollowEventOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )


@router.get("/subscription-events")
async def list_subscription_events(
    wanted: Annotated[_Filter, Query()], session: SessionDep
) -> SubscriptionEventPage:
    """List answers to subscription notifications and their deliveries, one row a template."""
    rows = await store.page(session, SubscriptionEvent, wanted.wanted())
    shown = rows[: wanted.limit]
    return SubscriptionEventPage(
        items=[SubscriptionEventOut.model_validate(row) for row in shown],
        next=shown[-1].id if len(rows) > len(shown) else None,
    )
