"""Shows what mini-programs report: who arrived and converted, and by which door of ours."""

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.arrivals import list_store
from app.arrivals.list_store import ArrivalFilter
from app.arrivals.models import Arrival, ArrivalKind, Basis, Door
from app.arrivals.scenes import group_of
from app.console import arrival_labels
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render
from app.console.section import Section
from app.console.signed_in import Viewer
from app.db.session import SessionDep

router = APIRouter()

SECTION: Final = Section("/arrivals", N_("Arrivals"), "v", router)

PAGE_ROWS: Final = 100


class ArrivalQuery(BaseModel):
    """The filters in the address; an empty field does not filter."""

    appid: Blank[str] = Field(default=None, max_length=64, pattern=r"^[^\x00]*$")
    kind: Blank[ArrivalKind] = None
    basis: Blank[Basis] = None
    door: Blank[Door] = None
    before: Blank[UUID] = None

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
    wanted = ArrivalFilter(**query.model_dump(exclude={"before"}))
    rows = await list_store.page(session, wanted, before=query.before, limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    return render(
        request,
        "arrivals/index.html",
        fragment="results",
        query=query,
        rows=shown,
        newest=query.address(None) if query.before else None,
        older=query.address(shown[-1].id) if len(rows) > len(shown) else None,
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
        return f"/notices/{row.send_id}"
    return None if row.menu_number is None else f"/menus/{row.account}"
