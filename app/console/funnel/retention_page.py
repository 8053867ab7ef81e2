"""The retention of followers: a table of cohorts as a heat map."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.console.date_range_form import BadRange, RangeQuery
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.funnel.labels import COHORTS
from app.console.render import render
from app.console.shown_days import date_range_of, shown_days
from app.console.signed_in import Viewer
from app.csv_response import csv_response
from app.db.session import SessionDep
from app.funnel.cohorts_sql import AGES
from app.settings import Settings
from app.stats.cohort_schemas import RetentionQuery
from app.stats.cohort_store import CohortBy
from app.stats.funnel_figures import retention_figures
from app.stats.retention_csv import HEADER, rows

router = APIRouter(prefix="/retention")

# Shades of the heat map, each for as large a part of a cohort.
SHADES = 5


class CohortsQuery(RangeQuery):
    """The days of the follows, and what people of a cohort have in common."""

    by: Blank[CohortBy] = None

    def question(self) -> RetentionQuery:
        """Return what the figures are asked for by; days and accounts are given beside it."""
        return RetentionQuery(by=self.by or CohortBy.WEEK)


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    query: Annotated[CohortsQuery, Query()],
    session: SessionDep,
) -> Response:
    """Show the cohorts of the days that the address names."""
    settings: Settings = request.app.state.settings
    days, problem = shown_days(request, query)
    appids = query.appids(list(settings.accounts))
    now = request.app.state.clock.now()
    found = await retention_figures(session, query.question(), days, appids, now)
    return render(
        request,
        "funnel/retention.html",
        fragment="results",
        status=422 if problem else 200,
        query=query,
        problem=problem,
        days=days,
        accounts=[(appid, appid) for appid in settings.accounts],
        found=found,
        ages=AGES,
        kinds=COHORTS,
        shade=shade,
        export=query.export_paths("/funnel/retention/export.csv", days, CohortBy)[found.by],
    )


@router.get("/export.csv")
async def export(
    request: Request, _visitor: Viewer, query: Annotated[CohortsQuery, Query()]
) -> Response:
    """Send the cohorts of the same days as a file."""
    try:
        days = date_range_of(request, query)
    except BadRange:
        raise NotFound from None
    now = request.app.state.clock.now()
    async with request.app.state.database.sessions.begin() as session:
        appids = query.appids(list(request.app.state.settings.accounts))
        found = await retention_figures(session, query.question(), days, appids, now)

    async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
        yield list(rows(found))

    return await csv_response("retention", HEADER, pages())


def shade(number: int, size: int) -> int:
    """Return the shade of a part of a cohort, from 0 for none to SHADES for all."""
    return -(-number * SHADES // size) if size else 0
