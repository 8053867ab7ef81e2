"""Whole lists as CSV or JSON Lines, streamed: memory holds one page, however long the list.

It is read page by page, each in a short transaction: a slow client keeps no old snapshot
alive and no connection busy.
"""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import SessionFactory
from app.events import lists
from app.events.wanted import Listed, Row, Wanted

ROWS_AT_ONCE = 2000


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/x-ndjson"}

Tell = Callable[[AsyncSession, Sequence[Row]], Awaitable[Sequence[BaseModel]]]


async def export(
    sessions: SessionFactory,
    listed: Listed[Row],
    wanted: Wanted,
    *,
    tell: Tell[Row],
    shape: type[BaseModel],
    written_as: Format,
) -> StreamingResponse:
    """Return the whole list. tell: turns rows into `shape`.

    The first page is read before the answer begins, so that a database which is away is an
    error and not an empty file.
    """
    pages = _pages(sessions, listed, replace(wanted, limit=ROWS_AT_ONCE), tell)
    first = await anext(pages)
    name = f"{listed.table.__tablename__}.{written_as}"
    return StreamingResponse(
        _written(first, pages, shape, written_as),
        media_type=MEDIA_TYPES[written_as],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pages(
    sessions: SessionFactory, listed: Listed[Row], wanted: Wanted, tell: Tell[Row]
) -> AsyncIterator[Sequence[BaseModel]]:
    while True:
        async with sessions.begin() as session:
            page = await lists.page(session, listed, wanted)
            told = await tell(session, page.rows)
        yield told
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
