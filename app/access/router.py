"""`/api/audit`: who did what, as a list and as CSV."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from app.access import audit
from app.access.audit import MAX_PAGE_ROWS, AuditFilter
from app.access.schemas import AuditEntryOut, AuditPageOut, AuditPageQuery, AuditQuery
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.csv_response import csv_response
from app.db.engine import Database, SessionFactory
from app.db.session import SessionDep

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One line per entry, after one with the column names",
        "content": {"text/csv": {}},
    }
}

router = APIRouter(prefix="/api/audit", tags=["operations"], route_class=ScopedRoute)


@router.get("", openapi_extra=needs(ApiScope.OPERATIONS_READ))
async def list_audit_log(
    query: Annotated[AuditPageQuery, Query()], session: SessionDep
) -> AuditPageOut:
    """List the audit log, the newest entries first."""
    page = await audit.read(session, query.audit_filter(), cursor=query.before, limit=query.limit)
    items = [AuditEntryOut.model_validate(row) for row in page.rows]
    return AuditPageOut(items=items, next=page.next)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=_FILE,
    openapi_extra=needs(ApiScope.OPERATIONS_READ),
)
async def export_audit_log(
    query: Annotated[AuditQuery, Query()], request: Request
) -> StreamingResponse:
    """Stream the audit log as CSV, the newest entries first."""
    database: Database = request.app.state.database
    rows = _rows(database.sessions, query.audit_filter())
    return await csv_response("audit_log", list(AuditEntryOut.model_fields), rows)


async def _rows(
    sessions: SessionFactory, wanted: AuditFilter
) -> AsyncIterator[Iterable[Iterable[object]]]:
    """Read each page in a transaction of its own, so that a slow client keeps no connection."""
    cursor: int | None = None
    while True:
        async with sessions.begin() as session:
            page = await audit.read(session, wanted, cursor=cursor, limit=MAX_PAGE_ROWS)
        shown = [AuditEntryOut.model_validate(row).model_dump(mode="json") for row in page.rows]
        yield [entry.values() for entry in shown]
        if page.next is None:
            return
        cursor = page.next
