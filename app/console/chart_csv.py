"""Sends the figures of one chart as a file; so few rows are one page."""

from collections.abc import AsyncIterator, Iterable, Sequence

from fastapi import Response

from app.csv_response import csv_response


async def chart_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return the file. name: without its ending. rows: one for each label of the chart."""

    async def pages() -> AsyncIterator[Iterable[Sequence[object]]]:
        yield rows

    return await csv_response(name, header, pages())
