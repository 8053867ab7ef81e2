"""Answers to popups and deliveries, by day and by template, as charts, tables and files."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.chart_marks import marks_of
from app.console.date_range_form import BadRange, RangeQuery, before
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.messages import Messages
from app.console.render import render
from app.console.shown_days import date_range_of, shown_days
from app.console.signed_in import Viewer
from app.console.subscriptions import figures
from app.console.subscriptions.figures import By
from app.csv_response import csv_response
from app.db.session import SessionDep
from app.settings import Settings
from app.stats import subscription_store
from app.stats.compute import subscription_figures
from app.stats.date_range import DateRange
from app.stats.schemas import SubscriptionsOut

router = APIRouter()

MAX_LISTED_TEMPLATES: Final = 100


class FiguresQuery(RangeQuery):
    """Days and account, and which template; empty: all."""

    template: Blank[str] = Field(default=None, max_length=200, pattern=r"^[^\x00]*$")


class FileQuery(FiguresQuery):
    """What the rows of the file are."""

    by: By = By.DAY


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[FiguresQuery, Query()], session: SessionDep
) -> Response:
    """Show the figures of the days that the address names, and of as many days before."""
    settings: Settings = request.app.state.settings
    days, problem = shown_days(request, query)
    now = await _read(request, session, query, days)
    earlier = await _read(request, session, query, before(days))
    translate = Messages(language_of(request)).text
    appids = query.appids(list(settings.accounts))
    marks = await marks_of(request, session, appids, days)
    return render(
        request,
        "subscriptions/index.html",
        fragment="results",
        status=422 if problem else 200,
        query=query,
        problem=problem,
        days=days,
        accounts=[(appid, appid) for appid in settings.accounts],
        key_figures=figures.key_figures(now, earlier),
        is_empty=figures.is_empty(now) and figures.is_empty(earlier),
        is_filtered=query.appid is not None or query.template is not None,
        by_day=figures.day_chart(now, translate, marks),
        by_template=figures.template_chart(now, translate),
        templates=figures.templates_of(now)[:MAX_LISTED_TEMPLATES],
        shown=figures.SHOWN,
        export=query.export_paths("/subscriptions/export.csv", days, By),
    )


@router.get("/export.csv")
async def export(
    request: Request, _visitor: Viewer, query: Annotated[FileQuery, Query()]
) -> Response:
    """Send the figures of the same days as a file."""
    try:
        days = date_range_of(request, query)
    except BadRange:
        raise NotFound from None

    async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
        async with request.app.state.database.sessions.begin() as session:
            found = await _read(request, session, query, days)
        yield list(figures.rows(found, query.by))

    header = (query.by, *subscription_store.MEASURES)
    return await csv_response(f"subscriptions-{query.by}", header, pages())


async def _read(
    request: Request, session: AsyncSession, query: FiguresQuery, days: DateRange
) -> SubscriptionsOut:
    appids = query.appids(list(request.app.state.settings.accounts))
    counted = await subscription_store.read(session, appids, days, query.template)
    return subscription_figures(counted, days)
