"""Receives a file of codes while it arrives, checks it, and stores it for the worker."""

from collections.abc import AsyncIterable
from uuid import UUID

from app.clock import Clock
from app.codes import import_store
from app.codes.import_store import PART_CODES
from app.codes.models import CodeImport
from app.codes.read_csv import CodeReader
from app.db.engine import SessionFactory


async def receive(
    sessions: SessionFactory, clock: Clock, campaign_id: UUID, pieces: AsyncIterable[bytes]
) -> CodeImport:
    """Return the import of a file, whose codes the worker adds. pieces: of the file, in order.

    Raises BadCodes, TooManyCodes; nothing is left of the file then, nor if its sender stops.
    """
    async with sessions.begin() as session:
        import_id = await import_store.begin_file(session, campaign_id, clock.now())
    try:
        total = await _store_parts(sessions, import_id, pieces)
        async with sessions.begin() as session:
            return await import_store.finish_file(session, import_id, total)
    except BaseException:
        async with sessions.begin() as session:
            await import_store.discard(session, import_id)
        raise


async def _store_parts(
    sessions: SessionFactory, import_id: UUID, pieces: AsyncIterable[bytes]
) -> int:
    reader, waiting, number = CodeReader(), list[str](), 0
    async for piece in pieces:
        waiting += reader.feed(piece)
        while len(waiting) >= PART_CODES:
            await _store_part(sessions, import_id, number, waiting[:PART_CODES])
            del waiting[:PART_CODES]
            number += 1
    waiting += reader.end()
    if waiting:
        await _store_part(sessions, import_id, number, waiting)
    return reader.total


async def _store_part(
    sessions: SessionFactory, import_id: UUID, number: int, codes: list[str]
) -> None:
    async with sessions.begin() as session:
        await import_store.add_part(session, import_id, number, codes)
