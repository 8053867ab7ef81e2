"""Sends rows as a CSV file, page by page, so that memory holds one page."""

from collections.abc import AsyncIterator, Iterable, Sequence

from fastapi.responses import StreamingResponse

from app.csv_rows import BYTE_ORDER_MARK, csv_rows


async def csv_response(
    name: str, header: Sequence[str], pages: AsyncIterator[Iterable[Iterable[object]]]
) -> StreamingResponse:
    """Return the file. name: without its ending. pages: of rows, each from its own transaction."""
    # Read before the response begins: an unavailable database is then a page and no empty file.
    first = await anext(pages, ())

    async def chunks() -> AsyncIterator[str]:
        yield BYTE_ORDER_MARK + csv_rows([header]) + csv_rows(first)
        async for rows in pages:
            yield csv_rows(rows)

    return StreamingResponse(
        chunks(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
