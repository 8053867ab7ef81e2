"""Whole lists as CSV or JSON Lines, streamed: memory holds one page, however long the list.

It is read page by page, each in a short transaction: a slow client keeps no old snapshot
alive and no connection busy.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.events import store
from app.events.query import ListQuery, ListSpec, Row

ROWS_AT_ONCE = 2000


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/x-ndjson"}

Serializer = Callable[[AsyncSession, Sequence[Row]], Awaitable[Sequence[BaseModel]]]


@dataclass(frozen=True, slots=True)
class ExportSpec(Generic[Row]):
    """A list, and how it is told. tell: turns rows into `shape`."""

    listed: ListSpec[Row]
    tell: Serializer[Row]
    shape: type[BaseModel]


async def export(
    sessions: SessionFactory, told: ExportSpec[Row], wanted: ListQuery, written_as: Format
) -> StreamingResponse:
    """Return the whole list.

    The first page is read before the answer begins, so that a database which is away is an
    error and not an empty file.
    """
    pages = _pages(sessions, told, replace(wanted, limit=ROWS_AT_ONCE))
    first = await anext(pages)
    name = f"{told.listed.table.__tablename__}.{written_as}"
    return StreamingResponse(
        _written(first, pages, told.shape, written_as),
        media_type=MEDIA_TYPES[written_as],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pages(
    sessions: SessionFactory, told: ExportSpec[Row], wanted: ListQuery
) -> AsyncIterator[Sequence[BaseModel]]:
    while True:
        async with sessions.begin() as session:
            page = await store.page(session, told.listed, wanted)
            rows = await told.tell(session, page.rows)
        yield rows
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)


async def _written(
    first: Sequence[BaseModel],
    rest: AsyncIterator[Sequence[BaseModel]],
    shape: type[BaseModel],
    written_as: Format,
) -> AsyncIterator[str]:
    if written_as is Format.CSV:
        yield _csv([list(shape.model_fields)])
    yield _chunk(first, written_as)
    async for rows in rest:
        yield _chunk(rows, written_as)


def _chunk(rows: Sequence[BaseModel], written_as: Format) -> str:
    if written_as is Format.CSV:
        return _csv(row.model_dump(mode="json").values() for row in rows)
    return "".join(row.model_dump_json() + "\n" for row in rows)


def _csv(rows: Iterable[Iterable[object]]) -> str:
    """RFC 4180; null is an empty field."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
