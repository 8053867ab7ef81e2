"""Agreement: what WeChat counts beside what arrived, by day in Shanghai."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Final

from fastapi import Query, Request, Response

from app.clock import SHANGHAI
from app.console.chart_marks import marks_of
from app.console.charts import Chart, ChartMark, Series, line_chart
from app.console.date_range_form import BadRange, RangeQuery
from app.console.errors import NotFound
from app.console.language import language_of
from app.console.messages import Messages
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.wechat_figures.router import router
from app.csv_response import csv_response
from app.datacube import report
from app.datacube.compare import Comparison
from app.datacube.days import yesterday
from app.datacube.read import asked_accounts
from app.datacube.report import AccountReport
from app.datacube.schemas import account_out
from app.db.session import SessionDep
from app.settings import Account
from app.stats.date_range import DateRange

COLUMNS: Final = ("day", "figure", "wechat", "ours")
# Of the many figures those are drawn of which a difference means a fault, or which say most.
DRAWN: Final = frozenset({"followed", "messages", "sessions"})


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[RangeQuery, Query()], session: SessionDep
) -> Response:
    """Show the figures of one account."""
    accounts = _accounts(request)
    account = _chosen(accounts, query)
    days, problem = _days(request, query)
    found = None
    marks: list[ChartMark] = []
    if account is not None:
        marks = await marks_of(request, session, [account.appid], days)
        (found,) = await report.read(session, [account], days.since, days.until)
    language = language_of(request)
    translate = Messages(language_of(request)).text
    names = translate("WeChat"), translate("Here")
    return render(
        request,
        "figures/compare.html",
        fragment="results",
        status=422 if problem else 200,
        query=query,
        problem=problem,
        days=days,
        accounts=[(one.appid, one.appid) for one in accounts],
        account=None if account is None else account_out(found, language) if found else None,
        differing=[] if found is None else _differing(found),
        charts=[
            (one.measure.label[language], _chart(one, names, marks))
            for one in (() if found is None else found.comparisons)
            if one.measure.name in DRAWN
        ],
        is_empty=found is None or not any(_has_figures(one) for one in found.comparisons),
        export=_export_path(query, days, account),
    )


@router.get("/export.csv")
async def export(
    request: Request, _visitor: Viewer, query: Annotated[RangeQuery, Query()]
) -> Response:
    """Send the figures of the same days as a file."""
    account = _chosen(_accounts(request), query)
    days, problem = _days(request, query)
    if account is None or problem is not None:
        raise NotFound

    async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
        async with request.app.state.database.sessions.begin() as session:
            (found,) = await report.read(session, [account], days.since, days.until)
        yield [
            (pair.day.isoformat(), one.measure.name, pair.theirs, pair.ours)
            for one in found.comparisons
            for pair in one.pairs
        ]

    return await csv_response("wechat-figures", COLUMNS, pages())


def _accounts(request: Request) -> list[Account]:
    return asked_accounts(request.app.state.settings)


def _chosen(accounts: list[Account], query: RangeQuery) -> Account | None:
    return next((one for one in accounts if query.appid in (None, one.appid)), None)


def _days(request: Request, query: RangeQuery) -> tuple[DateRange, str | None]:
    """Return the days of an address, or the usual ones and what is wrong with it."""
    newest = yesterday(request.app.state.clock.now())
    try:
        return query.date_range(newest, SHANGHAI.key), None
    except BadRange as error:
        return RangeQuery().date_range(newest, SHANGHAI.key), str(error)


def _export_path(query: RangeQuery, days: DateRange, account: Account | None) -> str:
    return query.address(
        "/figures/export.csv",
        days=None,
        since=days.since.isoformat(),
        until=days.until.isoformat(),
        appid=None if account is None else account.appid,
    )


def _chart(one: Comparison, names: tuple[str, str], marks: Sequence[ChartMark]) -> Chart:
    theirs, ours = names
    series = [Series(theirs, [pair.theirs for pair in one.pairs])]
    if one.measure.ours is not None:
        series.append(Series(ours, [pair.ours for pair in one.pairs]))
    return line_chart([pair.day.isoformat() for pair in one.pairs], series, marks)


def _differing(found: AccountReport) -> list[str]:
    """Return the exact figures that differ on a day, by name."""
    return [
        one.measure.name
        for one in found.comparisons
        if one.measure.exact and any(pair.differs and pair.settled for pair in one.pairs)
    ]


def _has_figures(one: Comparison) -> bool:
    return any(pair.theirs is not None for pair in one.pairs)
