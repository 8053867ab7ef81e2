"""The funnel: bars of the steps, their rates, the days, and the doors."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.console.chart_marks import marks_of
from app.console.charts import Chart, ChartMark, Series, bar_chart, line_chart
from app.console.date_range_form import BadRange, RangeQuery
from app.console.errors import NotFound
from app.console.form_values import Blank
from app.console.funnel.campaign_options import campaign_options
from app.console.funnel.labels import KINDS, STEPS
from app.console.funnel.step_lists import list_of, notices_of, page_of
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.shown_days import date_range_of, shown_days
from app.console.signed_in import Viewer
from app.csv_response import csv_response
from app.db.session import SessionDep
from app.funnel.steps import DoorKind
from app.settings import Settings
from app.stats.date_range import DateRange
from app.stats.funnel_csv import FileRows, table
from app.stats.funnel_figures import funnel_figures
from app.stats.funnel_schemas import FunnelOut, FunnelQuery

router = APIRouter()

Translate = Callable[[str], str]


class FunnelPageQuery(RangeQuery):
    """The days, and which doors."""

    by: Blank[DoorKind] = None
    campaign: Blank[UUID] = None
    door: Blank[Annotated[str, Field(max_length=128, pattern=r"^[^\x00]+$")]] = None

    @property
    def kind(self) -> DoorKind:
        """By what touches are told apart."""
        return self.by or DoorKind.ACCOUNT

    @property
    def within(self) -> UUID | None:
        """The campaign within which doors are counted; campaigns are not counted within one."""
        return None if self.kind is DoorKind.CAMPAIGN else self.campaign

    @property
    def of_kind(self) -> str | None:
        """The one door; None also for an account, which has no doors of its own."""
        return None if self.kind is DoorKind.ACCOUNT else self.door

    def question(self) -> FunnelQuery:
        """Return what the figures are asked for by; days and accounts are given beside it."""
        return FunnelQuery(by=self.kind, door=self.of_kind, campaign=self.within)


class FunnelFileQuery(FunnelPageQuery):
    """What the rows of the file are."""

    rows: FileRows = FileRows.DAYS


@router.get("")
async def show(
    request: Request,
    _visitor: Viewer,
    query: Annotated[FunnelPageQuery, Query()],
    session: SessionDep,
) -> Response:
    """Show the figures of the days that the address names, and of as many days before."""
    settings: Settings = request.app.state.settings
    days, problem = shown_days(request, query)
    appids = query.appids(list(settings.accounts))
    found = await funnel_figures(
        session, query.question(), days, appids, settings, all_accounts=query.appid is None
    )
    translate = Messages(language_of(request)).text
    marks = await marks_of(request, session, appids, days)
    return render(
        request,
        "funnel/index.html",
        fragment="results",
        status=422 if problem else 200,
        query=query,
        problem=problem,
        days=days,
        accounts=[(appid, appid) for appid in settings.accounts],
        found=found,
        step_labels=STEPS,
        kinds=KINDS,
        bars=_bars(found, translate),
        by_day=_by_day(found, translate, marks),
        campaigns=await campaign_options(session, query.within),
        lists={
            one.step: list_of(
                one.step, query.kind, query.of_kind or "", days, query.appid, query.within
            )
            for one in found.steps
        },
        notices=notices_of(query.door, days, query.appid)
        if query.kind is DoorKind.CAMPAIGN and query.door
        else None,
        pages={one.door: page_of(query.kind, one.door) for one in found.doors},
        is_empty=not any(one.times for one in (*found.steps, *found.before.steps)),
        export=_exports(query, days),
    )


@router.get("/export.csv")
async def export(
    request: Request, _visitor: Viewer, query: Annotated[FunnelFileQuery, Query()]
) -> Response:
    """Send the figures of the same days as a file."""
    settings: Settings = request.app.state.settings
    try:
        days = date_range_of(request, query)
    except BadRange:
        raise NotFound from None
    async with request.app.state.database.sessions.begin() as session:
        appids = query.appids(list(settings.accounts))
        found = await funnel_figures(
            session, query.question(), days, appids, settings, all_accounts=query.appid is None
        )
    header, rows = table(found, query.rows)

    async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
        yield rows

    return await csv_response(f"funnel-{query.rows}", header, pages())


def _exports(query: FunnelPageQuery, days: DateRange) -> dict[str, str]:
    since, until = days.since.isoformat(), days.until.isoformat()
    return {
        rows.value: query.address(
            "/funnel/export.csv", days=None, since=since, until=until, rows=rows.value
        )
        for rows in FileRows
    }


def _bars(found: FunnelOut, translate: Translate) -> Chart:
    return bar_chart(
        [translate(STEPS[one.step]) for one in found.steps],
        [
            Series(translate(N_("Times")), [one.times for one in found.steps]),
            Series(translate(N_("People")), [one.people for one in found.steps]),
        ],
    )


def _by_day(found: FunnelOut, translate: Translate, marks: Sequence[ChartMark]) -> Chart:
    return line_chart(
        [day.day.isoformat() for day in found.days],
        [
            Series(translate(STEPS[step.step]), [day.steps[number].people for day in found.days])
            for number, step in enumerate(found.steps)
        ],
        marks,
    )
