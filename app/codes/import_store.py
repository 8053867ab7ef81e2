"""SQL of imports: what is received stands in parts until the worker adds it to the pool.

A file that is sent is checked while it arrives, and its codes are stored part by part, each in a
transaction of its own: no connection waits for the sender. Nothing is added to the pool before the
whole file is there and right.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.clock import Clock
from app.codes.errors import KeyReused, TooManyCodes
from app.codes.jobs import add_job, missing_job
from app.codes.models import CodeImport, CodeImportPart, ImportSource, ImportState
from app.db.engine import SessionFactory
from app.db.queue import enqueue

MAX_POOL: Final = 5_000_000
PART_CODES: Final = 10_000
MAX_LISTED: Final = 100
# A file that did not arrive by then never will.
RECEIVED_WITHIN: Final = timedelta(hours=1)
SWEEP_LIMIT: Final = 100


async def begin_file(session: AsyncSession, campaign_id: UUID, now: datetime) -> UUID:
    """Begin to receive a file, and return the id of its import. Raises TooManyCodes."""
    await _require_room(session, campaign_id, 1)
    made = _import(campaign_id, ImportSource.FILE, ImportState.RECEIVING, now)
    session.add(made)
    return made.id


async def add_part(
    session: AsyncSession, import_id: UUID, number: int, codes: Sequence[str]
) -> None:
    """Store checked codes of a file that is received."""
    session.add(CodeImportPart(import_id=import_id, number=number, codes=list(codes)))


async def finish_file(session: AsyncSession, import_id: UUID, total: int) -> CodeImport:
    """Let the worker add a file that was received as a whole. Raises TooManyCodes."""
    received = await session.get_one(CodeImport, import_id, with_for_update=True)
    received.state, received.total = ImportState.RUNNING, total
    await session.flush()
    await _require_room(session, received.campaign_id, 0)
    await enqueue(session, [add_job(import_id)])
    return received


async def discard(session: AsyncSession, import_id: UUID) -> None:
    """Delete an import whose file did not arrive as it should."""
    await session.execute(
        delete(CodeImport).where(
            CodeImport.id == import_id, CodeImport.state == ImportState.RECEIVING
        )
    )


async def draw(
    session: AsyncSession,
    campaign_id: UUID,
    *,
    count: int,
    prefix: str,
    length: int,
    key: str,
    now: datetime,
) -> CodeImport:
    """Let the worker draw codes, once for each key. Raises TooManyCodes, KeyReused."""
    await _require_room(session, campaign_id, count)
    made = _import(campaign_id, ImportSource.GENERATED, ImportState.RUNNING, now)
    inserted = await session.scalar(
        insert(CodeImport)
        .values(
            id=made.id,
            campaign_id=campaign_id,
            source=made.source,
            state=made.state,
            key=key,
            prefix=prefix,
            length=length,
            total=count,
            added=0,
            present=0,
            created_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=["campaign_id", "key"], index_where=CodeImport.key.is_not(None)
        )
        .returning(CodeImport.id)
    )
    if inserted is not None:
        await enqueue(session, [add_job(inserted)])
        return await session.get_one(CodeImport, inserted)
    earlier = await session.scalar(
        select(CodeImport).where(CodeImport.campaign_id == campaign_id, CodeImport.key == key)
    )
    if earlier is None or (earlier.total, earlier.prefix, earlier.length) != (
        count,
        prefix,
        length,
    ):
        raise KeyReused(key)
    return earlier


async def read(session: AsyncSession, campaign_id: UUID, import_id: UUID) -> CodeImport | None:
    """Return an import of a campaign."""
    return await session.scalar(
        select(CodeImport).where(CodeImport.id == import_id, CodeImport.campaign_id == campaign_id)
    )


async def latest(session: AsyncSession, campaign_id: UUID) -> Sequence[CodeImport]:
    """Return the latest imports of a campaign, up to MAX_LISTED."""
    found = await session.scalars(
        select(CodeImport)
        .where(CodeImport.campaign_id == campaign_id)
        .order_by(CodeImport.id.desc())
        .limit(MAX_LISTED)
    )
    return found.all()


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Delete files that never arrived, and enqueue missing jobs."""
    now = clock.now()
    async with sessions.begin() as session:
        await session.execute(
            delete(CodeImport).where(
                CodeImport.ended_at.is_(None),
                CodeImport.created_at < now - RECEIVED_WITHIN,
                CodeImport.state == ImportState.RECEIVING,
            )
        )
        waiting = await session.scalars(
            select(CodeImport.id)
            .where(CodeImport.ended_at.is_(None), CodeImport.state == ImportState.RUNNING)
            .order_by(CodeImport.created_at)
            .limit(SWEEP_LIMIT)
        )
        await enqueue(session, [missing_job(import_id) for import_id in waiting])


async def end(session: AsyncSession, import_id: UUID, now: datetime) -> None:
    """Note that all codes of an import are in the pool."""
    await session.execute(
        update(CodeImport)
        .where(CodeImport.id == import_id)
        .values(state=ImportState.DONE, ended_at=now)
    )


async def _require_room(session: AsyncSession, campaign_id: UUID, count: int) -> None:
    """Raise TooManyCodes if the pool has no room for so many codes beside all that are asked for.

    Codes of a file that the pool had already take no room once that is known.
    """
    asked = await session.scalar(
        select(func.sum(CodeImport.total - CodeImport.present)).where(
            CodeImport.campaign_id == campaign_id
        )
    )
    if (asked or 0) + count > MAX_POOL:
        raise TooManyCodes(MAX_POOL)


def _import(
    campaign_id: UUID, source: ImportSource, state: ImportState, now: datetime
) -> CodeImport:
    return CodeImport(
        id=uuid7(),
        campaign_id=campaign_id,
        source=source,
        state=state,
        prefix="",
        length=0,
        total=0,
        added=0,
        present=0,
        created_at=now,
    )
