"""`/api/arrivals`: backends of mini-programs report who arrived and who converted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Request
from pydantic import Field

from app.access.caller import actor_of, caller_of
from app.access.scopes import ApiScope, needs
from app.api_errors import MAX_PROBLEMS, Detail, InvalidRequest, Problem
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.api_time import Time
from app.arrivals import examples, list_store
from app.arrivals.commit_reports import ReportCommitter, Stored
from app.arrivals.errors import TooManyWaiting
from app.arrivals.list_store import ArrivalFilter
from app.arrivals.models import Arrival, ArrivalKind, Basis, Door
from app.arrivals.new_arrival import BadReport, NewArrival, new_arrival
from app.arrivals.scenes import group_of
from app.arrivals.schemas import (
    ArrivalOut,
    ArrivalPage,
    ConversionIn,
    Invalid,
    LaunchIn,
    Reports,
    ReportsOut,
)
from app.arrivals.serve import ReporterAudit
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.settings import Settings

MAX_PAGE_ROWS: Final = 500
# A thousand launches, each with the longest page and query: nearly all are a tenth of that.
MAX_REPORT_BYTES: Final = 4 * 1024 * 1024
RETRY_AFTER_SECONDS: Final = 5
_BUSY: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Detail, "description": "Nothing was stored: send the same reports again"}
}


class ReportRoute(BoundedRoute):
    """Takes as many values as a thousand launches have, each with a query of a dozen."""

    max_values = 25_000


router = APIRouter(prefix="/api/arrivals", tags=["arrivals"], route_class=ReportRoute)


@router.post("", responses=_BUSY, openapi_extra=needs(ApiScope.ARRIVALS_WRITE))
async def report_arrivals(
    body: Annotated[Reports, Body(openapi_examples=examples.REPORTS)], request: Request
) -> ReportsOut:
    """Report launches and conversions of mini-programs; repeating is safe.

    A report with an id that the mini-program has reported before adds nothing. What can't be stored
    is named in the answer and does not keep the other reports from being stored; if none can, the
    answer is 422. A token of the database reports for the AppIDs that it names, and for no others.
    A report is for figures alone: it changes no identity and gives no right.
    """
    settings: Settings = request.app.state.settings
    now: datetime = request.app.state.clock.now()
    read = [one for one in body.reports if not isinstance(one, Invalid)]
    caller_of(request).require_appids({one.appid for one in read})
    good, problems = _sorted_out(body.reports, settings, now)
    if not good:
        raise InvalidRequest(problems[:MAX_PROBLEMS])
    stored = await _stored(request, good)
    audit: ReporterAudit = request.app.state.reporter_audit
    await audit.note(actor_of(request), {one.appid for one in good}, now)
    return ReportsOut(
        received=len(body.reports),
        stored=stored.stored,
        repeated=len(good) - stored.stored - stored.erased,
        erased=stored.erased,
        refused=len(problems),
        problems=problems[:MAX_PROBLEMS],
    )


class _Page(ApiModel):
    """Filters and page of the list."""

    before: UUID | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many arrivals."""
    appid: WeChatId | None = None
    """Only those of this mini-program."""
    kind: ArrivalKind | None = None
    """Only launches, or only conversions."""
    basis: Basis | None = None
    """Only those that are attributed so."""
    door: Door | None = None
    """Only those that came through such a door."""
    ref: WeChatId | None = None
    """Only those that brought this `ref` back, such as that of an article."""
    openid: WeChatId | None = None
    """Only those of this person at the mini-program."""
    unionid: WeChatId | None = None
    """Only those of this person, as stored with them."""
    since: Time | None = None
    """Only those that were received from then on."""
    until: Time | None = None
    """Only those that were received before then."""


@router.get("", openapi_extra=needs(ApiScope.ARRIVALS_READ))
async def list_arrivals(query: Annotated[_Page, Query()], session: SessionDep) -> ArrivalPage:
    """List launches and conversions, the one that was received last first.

    Without `unionid`, or `appid` with `openid`, a filter looks at 100,000 of them for one page,
    which may then have fewer than `limit`, or none: go on until `next` is null.
    """
    wanted = ArrivalFilter(**query.model_dump(exclude={"before", "limit"}))
    found = await list_store.page(session, wanted, before=query.before, limit=query.limit)
    return ArrivalPage(items=[arrival_out(row) for row in found.rows], next=found.next)


def arrival_out(row: Arrival) -> ArrivalOut:
    """Return the JSON shape of an arrival."""
    values = {
        name: getattr(row, name)
        for name in ArrivalOut.model_fields
        if name not in {"settled", "scene_group"}
    }
    launch = row.kind is ArrivalKind.LAUNCH
    return ArrivalOut(
        **values,
        settled=row.position is not None,
        scene_group=group_of(row.scene) if launch else None,
    )


def _sorted_out(
    reports: Sequence[LaunchIn | ConversionIn | Invalid], settings: Settings, now: datetime
) -> tuple[list[NewArrival], list[Problem]]:
    """Return what is to be stored, and what is wrong with the rest."""
    good, problems = list[NewArrival](), list[Problem]()
    for index, report in enumerate(reports):
        try:
            if isinstance(report, Invalid):
                raise BadReport(report.loc, report.problem)
            _require_mini_program(report.appid, settings)
            good.append(new_arrival(report, now))
        except BadReport as error:
            loc = ["body", "reports", index, *error.loc]
            problems.append(Problem(loc=loc, msg=str(error), type="value_error"))
    return good, problems


def _require_mini_program(appid: str, settings: Settings) -> None:
    if settings.mini_programs and appid not in settings.mini_programs:
        raise BadReport(
            ["appid"],
            "is none of the mini-programs of ACCOUNTS_FILE and MINI_PROGRAM_APPIDS: add it there, "
            "or correct it",
        )
    account = settings.accounts.get(appid)
    if account is not None and account.kind == "oa":
        raise BadReport(["appid"], "is an Official Account: report the mini-program's AppID")


async def _stored(request: Request, reports: list[NewArrival]) -> Stored:
    committer: ReportCommitter = request.app.state.report_committer
    try:
        return await committer.keep(reports)
    except TooManyWaiting as error:
        retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise HTTPException(503, str(error), retry) from None
