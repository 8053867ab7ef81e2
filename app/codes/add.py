"""The job that adds the codes of one import to its pool.

Each part is one transaction with the count of it, so that a worker that is killed leaves the import
at the end of a part, and the next one goes on from there. A code that the pool has is not added.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.codes import import_store
from app.codes.code_text import drawn_codes
from app.codes.import_store import PART_CODES
from app.codes.models import CodeImport, ImportSource, ImportState
from app.db.engine import SessionFactory


async def add_codes(sessions: SessionFactory, clock: Clock, import_id: UUID) -> None:
    """Add what an import still has; do nothing if it is over, or deleted with its campaign."""
    while True:
        async with sessions.begin() as session:
            if not await add_part(session, clock, import_id):
                return


async def add_part(session: AsyncSession, clock: Clock, import_id: UUID) -> bool:
    """Add one part, and return whether there may be another one. Locks the import."""
    running = await session.get(CodeImport, import_id, with_for_update=True)
    if running is None or running.state is not ImportState.RUNNING:
        return False
    codes = await _next_part(session, running)
    if not codes:
        await import_store.end(session, import_id, clock.now())
        return False
    added = len(
        (await session.execute(_ADD, {"campaign_id": running.campaign_id, "codes": codes})).all()
    )
    running.added += added
    if running.source is ImportSource.FILE:
        running.present += len(codes) - added
    return True


async def _next_part(session: AsyncSession, running: CodeImport) -> list[str]:
    if running.source is ImportSource.GENERATED:
        # One that the pool has is drawn again.
        count = min(PART_CODES, running.total - running.added)
        return drawn_codes(count, running.prefix, running.length)
    codes: list[str] | None = await session.scalar(_TAKE_PART, {"import_id": running.id})
    return codes or []


_TAKE_PART: Final = text("""
DELETE FROM code_import_parts WHERE import_id = :import_id AND number = (
    SELECT min(number) FROM code_import_parts WHERE import_id = :import_id
)
RETURNING codes
""")

# In one order, so that two imports of one pool that share codes do not wait for each other.
_ADD: Final = text("""
INSERT INTO campaign_codes (campaign_id, code)
SELECT :campaign_id, code
FROM (
    SELECT code, min(place) AS place
    FROM unnest(CAST(:codes AS text[])) WITH ORDINALITY AS given (code, place)
    GROUP BY code
) AS each_once
ORDER BY code
ON CONFLICT (campaign_id, code) DO NOTHING
RETURNING 1
""")
