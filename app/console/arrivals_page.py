"""Shows what mini-programs report: who arrived and converted, and by which door of ours."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.arrivals import list_store
from app.arrivals.list_store import ArrivalFilter, Began
from app.arrivals.models import Arrival, ArrivalKind, Basis, Door
from app.arrivals.scenes import group_of
from app.console import arrival_labels
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.section import Section
from app.console.signed_in import Viewer
from app.db.session import SessionDep
from app.funnel.erased_count import CountedTimes, erased_times
from app.funnel.steps import Step, basis_of
from app.stats.date_range import FIRST_DAY, LAST_DAY

router = APIRouter()

SECTION: Final = Section("/arrivals", N_("Arrivals"), "v", router)

PAGE_ROWS: Final = 100

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


class ArrivalQuery(BaseModel):
    """The filters in the address; an empty field does not filter.

    since, until: what the funnel counts for these days, both included; began: for this door, by its
    name in the funnel; account: of this account.
    """

    appid: Blank[str] = Field(default=None, max_length=64, pattern=r"^[^\x00]*$")
    kind: Blank[ArrivalKind] = None
    basis: Blank[Basis] = None
    door: Blank[Door] = None
    ref: Blank[str] = Field(default=None, max_length=64, pattern=r"^[^\x00]*$")
    since: Blank[Day] = None
    until: Blank[Day] = None
    began: Blank[Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]] = None
    account: Blank[str] = Field(default=None, max_length=64, pattern=r"^[^\x00]*$")
    before: Blank[UUID] = None

    def filter(self, zone: tzinfo) -> ArrivalFilter:
        """Return what the store filters by."""
        began = None
        if self.since is not None and self.until is not None:
            began = Began(
                self.began or "",
                datetime.combine(self.since, time(), zone),
                datetime.combine(self.until + timedelta(days=1), time(), zone),
                self.account,
            )
        return ArrivalFilter(self.appid, self.kind, self.basis, self.door, self.ref, began=began)

    def counted_times(self, zone: tzinfo) -> CountedTimes | None:
        """Return the bar of the funnel of which the list is; None if it is of something else."""
        began = self.filter(zone).began
        others = (self.appid, self.basis, self.door, self.ref)
        if began is None or self.kind is None or any(one is not None for one in others):
            return None
        step = Step.OPENED if self.kind is ArrivalKind.LAUNCH else Step.CONVERTED
        return CountedTimes(step, began.door, began.since, began.until, began.account)

    def address(self, before: UUID | None) -> str:
        """Return the path with these filters, and with another cursor."""
        values = self.model_dump(mode="json") | {"before": before}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"/arrivals?{query}" if query else "/arrivals"


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[ArrivalQuery, Query()], session: SessionDep
) -> Response:
    """Show a page of the list, the one that was received last first."""
    wanted = query.filter(zone_of(request))
    found = await list_store.page(session, wanted, before=query.before, limit=PAGE_ROWS)
    basis = basis_of(request.app.state.settings)
    counted = query.counted_times(zone_of(request))
    return render(
        request,
        "arrivals/index.html",
        fragment="results",
        query=query,
        rows=found.rows,
        erased_times=await erased_times(session, counted, basis) if counted else 0,
        newest=query.address(None) if query.before else None,
        older=query.address(found.next) if found.next else None,
        is_filtered=query != ArrivalQuery(before=query.before),
        texts=arrival_labels,
        group_of=group_of,
        door_path=door_path,
    )


def door_path(row: Arrival) -> str | None:
    """Return the page of the door below the console, if it has one."""
    if row.rule_id is not None:
        return f"/rules/{row.rule_id}"
    if row.link_id is not None:
        return f"/links/{row.link_id}"
    if row.send_id is not None:
        return f"/notices/sends/{row.send_id}"
    return None if row.menu_number is None else f"/menus?appid={row.account}"
