"""`/api/stats/funnel` and `/api/stats/retention`, as JSON and as files."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.csv_response import csv_response
from app.db.session import SessionDep
from app.settings import Settings
from app.stats import funnel_csv, retention_csv
from app.stats.cohort_schemas import RetentionOut, RetentionQuery
from app.stats.date_range import DateRange, DateRangeQuery, date_range_of
from app.stats.funnel_figures import funnel_figures, retention_figures
from app.stats.funnel_schemas import FunnelOut, FunnelQuery

router = APIRouter(prefix="/api/stats", tags=["stats"], route_class=ScopedRoute)

_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The figures as CSV", "content": {"text/csv": {}}}
}


@router.get("/funnel", openapi_extra=needs(ApiScope.STATS_READ))
async def funnel_stats(
    query: Annotated[FunnelQuery, Query()], session: SessionDep, request: Request
) -> FunnelOut:
    """Count what came of pushes, notices and launches: in times, in people, and before.

    Figures are kept for the time zone of CONSOLE_TIME_ZONE and the windows of the settings. With
    others the answer is as exact and takes longer.
    """
    date_range = await date_range_of(session, query, request.app.state.clock.now())
    return await _figures(session, query, date_range, request)


@router.get(
    "/funnel/export",
    openapi_extra=needs(ApiScope.STATS_READ),
    response_class=Response,
    responses=_CSV,
)
async def funnel_file(
    query: Annotated[funnel_csv.FunnelFileQuery, Query()], session: SessionDep, request: Request
) -> Response:
    """Download the same figures, one row for each day or each door."""
    date_range = await date_range_of(session, query, request.app.state.clock.now())
    found = await _figures(session, query, date_range, request)
    header, rows = funnel_csv.table(found, query.rows)
    return await csv_response("funnel", header, _one_page(rows))


@router.get("/retention", openapi_extra=needs(ApiScope.STATS_READ))
async def retention_stats(
    query: Annotated[RetentionQuery, Query()], session: SessionDep, request: Request
) -> RetentionOut:
    """Count what became of new followers after 1, 7, 30 and 90 days, by week or QR code."""
    now = request.app.state.clock.now()
    date_range = await date_range_of(session, query, now)
    return await retention_figures(session, query, date_range, _appids(request, query), now)


@router.get(
    "/retention/export",
    openapi_extra=needs(ApiScope.STATS_READ),
    response_class=Response,
    responses=_CSV,
)
async def retention_file(
    query: Annotated[RetentionQuery, Query()], session: SessionDep, request: Request
) -> Response:
    """Download the same figures, one row for each cohort and age."""
    now = request.app.state.clock.now()
    date_range = await date_range_of(session, query, now)
    found = await retention_figures(session, query, date_range, _appids(request, query), now)
    return await csv_response(
        "retention", retention_csv.HEADER, _one_page(retention_csv.rows(found))
    )


async def _figures(
    session: AsyncSession, query: FunnelQuery, date_range: DateRange, request: Request
) -> FunnelOut:
    settings: Settings = request.app.state.settings
    appids = _appids(request, query)
    return await funnel_figures(
        session, query, date_range, appids, settings, all_accounts=query.appid is None
    )


async def _one_page(rows: Iterable[Iterable[object]]) -> AsyncIterator[Iterable[Iterable[object]]]:
    yield rows


def _appids(request: Request, query: DateRangeQuery) -> list[str]:
    return list(request.app.state.settings.accounts) if query.appid is None else [query.appid]
