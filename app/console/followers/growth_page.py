"""Growth: new and lost followers by day, scene and QR scene, as charts, tables and files."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.console.chart_marks import marks_of
from app.console.date_range_form import BadRange, RangeQuery, before
from app.console.errors import NotFound
from app.console.followers import growth
from app.console.followers.growth import By
from app.console.language import language_of
from app.console.messages import Messages
from app.console.render import render
from app.console.shown_days import date_range_of, shown_days
from app.console.signed_in import Viewer
from app.csv_response import csv_response
from app.db.session import SessionDep
from app.settings import Settings
from app.stats import follower_store
from app.stats.compute import follower_figures

router = APIRouter(prefix="/growth")


class FileQuery(RangeQuery):
    """What the rows of the file are."""

    by: By = By.DAY


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[RangeQuery, Query()], session: SessionDep
) -> Response:
    """Show the figures of the days that the address names, and of as many days before."""
    settings: Settings = request.app.state.settings
    days, problem = shown_days(request, query)
    appids = query.appids(list(settings.accounts))
    days_before = before(days)
    now, earlier, present = await follower_store.read_with_before(
        session, appids, days, days_before
    )
    figures = follower_figures(now, present, days)
    figures_before = follower_figures(earlier, present, days_before)
    translate = Messages(language_of(request)).text
    marks = await marks_of(request, session, appids, days)
    return render(
        request,
        "followers/growth.html",
        fragment="results",
        status=422 if problem else 200,
        query=query,
        problem=problem,
        days=days,
        accounts=[(appid, appid) for appid in settings.accounts],
        figures=figures,
        key_figures=growth.key_figures(figures, figures_before),
        is_empty=not (growth.end_of(figures.total) or figures.scenes or figures.total.lost),
        changes=growth.change_chart(figures, translate, marks),
        totals=growth.total_chart(figures, translate, marks),
        scenes=growth.scene_chart(figures, By.SCENE, translate),
        qr_scenes=growth.scene_chart(figures, By.QR_SCENE, translate),
        export=query.export_paths("/followers/growth/export.csv", days, By),
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
            appids = query.appids(list(request.app.state.settings.accounts))
            changes, present = await follower_store.read(session, appids, days)
        yield list(growth.rows(follower_figures(changes, present, days), query.by))

    return await csv_response(f"growth-{query.by}", (query.by, *growth.COLUMNS), pages())
