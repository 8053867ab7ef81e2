"""`/api/audit`: who did what, as a list and as CSV."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from app.access import audit
from app.access.audit import MAX_PAGE_ROWS, AuditFilter, AuditPage
from app.access.schemas import AuditEntryOut, AuditPageOut, AuditPageQuery, AuditQuery
from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.csv_rows import csv_rows
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
    wanted = query.audit_filter()
    # Read before the response begins: an unavailable database is then a 503 and no empty file.
    first = await _page(database.sessions, wanted, None)
    return StreamingResponse(
        _csv(database.sessions, wanted, first),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit_log.csv"'},
    )


async def _csv(
    sessions: SessionFactory, wanted: AuditFilter, page: AuditPage
) -> AsyncIterator[str]:
    yield csv_rows([list(AuditEntryOut.model_fields)])
    while True:
        shown = (AuditEntryOut.model_validate(row) for row in page.rows)
        yield csv_rows(one.model_dump(mode="json").values() for one in shown)
        if page.next is None:
            return
        page = await _page(sessions, wanted, page.next)


async def _page(sessions: SessionFactory, wanted: AuditFilter, cursor: int | None) -> AuditPage:
    """Read a page in a transaction of its own, so that a slow client keeps no connection."""
    async with sessions.begin() as session:
        return await audit.read(session, wanted, cursor=cursor, limit=MAX_PAGE_ROWS)
