"""`/api/stats/compare`: WeChat's figures beside ours."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.clock import SHANGHAI
from app.datacube import report
from app.datacube.read import asked_accounts
from app.datacube.schemas import MAX_ACCOUNTS, CompareOut, CompareQuery, account_out
from app.db.session import SessionDep

router = APIRouter(prefix="/api/stats", tags=["stats"], route_class=ScopedRoute)


@router.get("/compare", openapi_extra=needs(ApiScope.STATS_READ))
async def compare_stats(
    query: Annotated[CompareQuery, Query()], session: SessionDep, request: Request
) -> CompareOut:
    """Compare what WeChat counts with what arrived, by day, for at most 366 days.

    The worker asks WeChat for a day from 08:00 of the next one on, and again while it is not ready.
    """
    since, until = query.days(request.app.state.clock.now())
    accounts = [
        one
        for one in asked_accounts(request.app.state.settings)
        if query.appid in (None, one.appid)
    ][:MAX_ACCOUNTS]
    found = await report.read(session, accounts, since, until)
    return CompareOut(
        since=since,
        until=until,
        time_zone=SHANGHAI.key,
        accounts=[account_out(one, query.language) for one in found],
    )
