"""Streams whole lists as CSV or JSON Lines; memory holds one page, however long the list is.

Each page is read in a short transaction of its own, so that a slow client keeps no old snapshot and
no connection.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.csv_rows import csv_rows
from app.db.engine import SessionFactory
from app.events import store
from app.events.query import ListQuery, ListSpec, Row

ROWS_AT_ONCE = 2000


class Format(StrEnum):
    """File format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/x-ndjson"}

Serializer = Callable[[AsyncSession, Sequence[Row]], Awaitable[Sequence[BaseModel]]]


@dataclass(frozen=True, slots=True)
class ExportSpec(Generic[Row]):
    """A list to export. serialize: turns rows into values of `schema`."""

    listed: ListSpec[Row]
    serialize: Serializer[Row]
    schema: type[BaseModel]


async def export(
    sessions: SessionFactory, spec: ExportSpec[Row], query: ListQuery, file_format: Format
) -> StreamingResponse:
    """Return a response that streams the whole list."""
    pages = _pages(sessions, spec, replace(query, limit=ROWS_AT_ONCE))
    # Read before the response begins: an unavailable database is then a 503 and no empty file.
    first = await anext(pages)
    name = f"{spec.listed.table.__tablename__}.{file_format}"
    return StreamingResponse(
        _chunks(first, pages, spec.schema, file_format),
        media_type=MEDIA_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pages(
    sessions: SessionFactory, spec: ExportSpec[Row], query: ListQuery
) -> AsyncIterator[Sequence[BaseModel]]:
    while True:
        async with sessions.begin() as session:
            page = await store.page(session, spec.listed, query)
            rows = await spec.serialize(session, page.rows)
        yield rows
        if page.next is None:
            return
        query = replace(query, after=page.next)


async def _chunks(
    first: Sequence[BaseModel],
    rest: AsyncIterator[Sequence[BaseModel]],
    schema: type[BaseModel],
    file_format: Format,
) -> AsyncIterator[str]:
    if file_format is Format.CSV:
        yield csv_rows([list(schema.model_fields)])
    yield _chunk(first, file_format)
    async for rows in rest:
        yield _chunk(rows, file_format)


def _chunk(rows: Sequence[BaseModel], file_format: Format) -> str:
    if file_format is Format.CSV:
        return csv_rows(row.model_dump(mode="json").values() for row in rows)
    return "".join(row.model_dump_json() + "\n" for row in rows)
