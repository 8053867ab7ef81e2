"""`/api/stats`: figures about followers and subscriptions, by the days of a time zone."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.db.session import SessionDep
from app.stats import follower_store, subscription_store
from app.stats.compute import follower_figures, subscription_figures
from app.stats.date_range import SpanQuery, span_of
from app.stats.schemas import FollowersOut, SubscriptionsOut

router = APIRouter(prefix="/api/stats", tags=["stats"])


@router.get("/followers")
async def follower_stats(
    asked: Annotated[SpanQuery, Query()], session: SessionDep, request: Request
) -> FollowersOut:
    """Count followers won and lost, by day, by scene and by QR scene; at most 366 days.

    The further back the first day lies, the longer it takes: the number of followers is reckoned
    back from now.
    """
    span = await span_of(session, asked, request.app.state.clock.now())
    moved, standing = await follower_store.read(session, _appids(request, asked), span)
    return follower_figures(moved, standing, span)


@router.get("/subscriptions")
async def subscription_stats(
    asked: Annotated[SpanQuery, Query()], session: SessionDep, request: Request
) -> SubscriptionsOut:
    """Count answers to subscription popups, and deliveries, by day and by template."""
    span = await span_of(session, asked, request.app.state.clock.now())
    counted = await subscription_store.read(session, _appids(request, asked), span)
    return subscription_figures(counted, span)


def _appids(request: Request, asked: SpanQuery) -> list[str]:
    return list(request.app.state.settings.accounts) if asked.appid is None else [asked.appid]
