"""`/api/stats`: figures of followers and subscriptions, by days in a time zone."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.db.session import SessionDep
from app.stats import follower_store, notice_store, subscription_store
from app.stats.compute import follower_figures, notice_figures, subscription_figures
from app.stats.date_range import DateRangeQuery, date_range_of
from app.stats.schemas import (
    FollowersOut,
    NoticesQuery,
    NoticeStatsOut,
    SubscriptionsOut,
    SubscriptionsQuery,
)

router = APIRouter(prefix="/api/stats", tags=["stats"], route_class=ScopedRoute)


@router.get("/followers", openapi_extra=needs(ApiScope.STATS_READ))
async def follower_stats(
    query: Annotated[DateRangeQuery, Query()], session: SessionDep, request: Request
) -> FollowersOut:
    """Count new and lost followers by day, by scene and by QR scene, for at most 366 days.

    An earlier first day takes longer, because the number of followers is computed back from now.
    """
    date_range = await date_range_of(session, query, request.app.state.clock.now())
    changes, present = await follower_store.read(session, _appids(request, query), date_range)
    return follower_figures(changes, present, date_range)


@router.get("/subscriptions", openapi_extra=needs(ApiScope.STATS_READ))
async def subscription_stats(
    query: Annotated[SubscriptionsQuery, Query()], session: SessionDep, request: Request
) -> SubscriptionsOut:
    """Count answers to subscription popups and deliveries, by day and by template."""
    date_range = await date_range_of(session, query, request.app.state.clock.now())
    counted = await subscription_store.read(
        session, _appids(request, query), date_range, query.template_id
    )
    return subscription_figures(counted, date_range)


@router.get("/notices", openapi_extra=needs(ApiScope.STATS_READ))
async def notice_stats(
    query: Annotated[NoticesQuery, Query()], session: SessionDep, request: Request
) -> NoticeStatsOut:
    """Count notices by the day on which they were queued and by template, and why they failed."""
    date_range = await date_range_of(session, query, request.app.state.clock.now())
    which = (_appids(request, query), date_range, query.template_id)
    days, reasons = await notice_store.read(session, *which)
    return notice_figures(days, reasons, date_range, query.language)


def _appids(request: Request, query: DateRangeQuery) -> list[str]:
    return list(request.app.state.settings.accounts) if query.appid is None else [query.appid]
