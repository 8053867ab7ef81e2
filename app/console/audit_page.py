"""Shows the audit log: who did what, when and from where; with filters, and as CSV."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.access import audit
from app.access.actions import Action
from app.access.actor import SubjectKind
from app.access.audit import AuditFilter, AuditRow
from app.api_time import Day
from app.console import audit_labels
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render, zone_of
from app.console.section import Section
from app.console.signed_in import Viewer
from app.csv_response import csv_response
from app.db.engine import Database
from app.db.session import SessionDep

router = APIRouter()

SECTION: Final = Section("/audit", N_("Audit log"), "a", router)

PAGE_ROWS: Final = 100
CSV_COLUMNS: Final = tuple(AuditRow.__dataclass_fields__)


class AuditQuery(BaseModel):
    """The filters in the address; an empty field does not filter. since, until: days."""

    actor: Blank[str] = Field(default=None, max_length=200)
    action: Blank[Action] = None
    subject: Blank[SubjectKind] = None
    since: Blank[Day] = None
    until: Blank[Day] = None
    before: Blank[int] = Field(default=None, ge=1, le=2**63 - 1)

    def filter(self, zone: tzinfo) -> AuditFilter:
        """Return what the log is filtered by. zone: of the pages."""

        def midnight(day: date) -> datetime:
            return datetime.combine(day, time.min, zone)

        return AuditFilter(
            actor_name=self.actor,
            action=self.action,
            subject_kind=self.subject,
            since=midnight(self.since) if self.since else None,
            until=midnight(self.until + timedelta(days=1)) if self.until else None,
        )

    def address(self, path: str, before: int | None) -> str:
        """Return the path with these filters, and with another cursor."""
        values = self.model_dump(mode="json") | {"before": before}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[AuditQuery, Query()], session: SessionDep
) -> Response:
    """Show a page of the log, the newest entries first."""
    page = await audit.read(
        session, query.filter(zone_of(request)), cursor=query.before, limit=PAGE_ROWS
    )
    return render(
        request,
        "audit/index.html",
        fragment="results",
        query=query,
        rows=page.rows,
        newest=query.address("/audit", None) if query.before else None,
        older=query.address("/audit", page.next) if page.next else None,
        export=query.address("/audit/export.csv", None),
        is_filtered=query != AuditQuery(before=query.before),
        texts=audit_labels,
    )


@router.get("/export.csv")
async def export(
    request: Request, _visitor: Viewer, query: Annotated[AuditQuery, Query()]
) -> Response:
    """Send all entries that the filters let through."""
    database: Database = request.app.state.database
    pages = _pages(database, query.filter(zone_of(request)))
    return await csv_response("audit", CSV_COLUMNS, pages)


async def _pages(database: Database, wanted: AuditFilter) -> AsyncIterator[Sequence[list[object]]]:
    cursor = None
    while True:
        async with database.sessions.begin() as session:
            page = await audit.read(session, wanted, cursor=cursor, limit=audit.MAX_PAGE_ROWS)
        yield [[getattr(row, name) for name in CSV_COLUMNS] for row in page.rows]
        if page.next is None:
            return
        cursor = page.next
