"""Streams whole lists as CSV or JSON Lines; memory holds one page, however long the list is.

Each page is read in a short transaction of its own, so that a slow client keeps no old snapshot and
no connection.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.csv_response import csv_response
from app.db.engine import SessionFactory
from app.events import store
from app.events.query import ListQuery, ListSpec, Row

ROWS_AT_ONCE = 2000


class Format(StrEnum):
    """File format of an export."""

    CSV = "csv"
    JSONL = "jsonl"


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
    name = spec.listed.table.__tablename__
    if file_format is Format.CSV:
        return await csv_response(name, list(spec.schema.model_fields), _cells(pages))
    # Read before the response begins: an unavailable database is then a 503 and no empty file.
    first = await anext(pages)
    return StreamingResponse(
        _lines(first, pages),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
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


async def _cells(
    pages: AsyncIterator[Sequence[BaseModel]],
) -> AsyncIterator[Iterable[Iterable[object]]]:
    async for rows in pages:
        yield [row.model_dump(mode="json").values() for row in rows]


async def _lines(
    first: Sequence[BaseModel], rest: AsyncIterator[Sequence[BaseModel]]
) -> AsyncIterator[str]:
    yield _json_lines(first)
    async for rows in rest:
        yield _json_lines(rows)


def _json_lines(rows: Sequence[BaseModel]) -> str:
    return "".join(row.model_dump_json() + "\n" for row in rows)
