"""SQL of imports as a worker carries them on.

It locks `rules_version` (`edit.begin`) before the row of an import, which it changes at the very
end: the row is free while it compares and writes, so that another transaction can store how far it
is.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.importing.models import ImportState, RuleImport, RuleImportPart
from app.rules.importing.progress import Progress

WORKING: Final = (ImportState.CHECKING, ImportState.IMPORTING)
"""The states in which a worker has something to do."""

MAX_TRIES: Final = 5
"""A document with which workers die must not let them die for ever."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker has found out. version: of the rules; preview: as `preview_of` returns it."""

    version: int
    added: int
    changed: int
    removed: int
    unchanged: int
    preview: dict[str, Any]


async def take(session: AsyncSession, import_id: UUID, now: datetime) -> RuleImport | None:
    """Return an import with which a worker has something to do, and count the try.

    None: there is nothing to do, or workers have tried MAX_TRIES times, and the import has failed.
    """
    row = await session.get(RuleImport, import_id, with_for_update=True)
    if row is None or row.state not in WORKING:
        return None
    row.tries += 1
    if row.tries <= MAX_TRIES:
        return row
    await end(session, import_id, row.state, ImportState.FAILED, now)
    return None


async def parts(session: AsyncSession, import_id: UUID) -> AsyncIterator[bytes]:
    """Yield the parts of a document, one in memory at a time."""
    number = 0
    while True:
        content = await session.scalar(
            select(RuleImportPart.content).where(
                RuleImportPart.import_id == import_id, RuleImportPart.number == number
            )
        )
        if content is None:
            return
        yield content
        number += 1


async def store_progress(session: AsyncSession, import_id: UUID, progress: Progress) -> None:
    """Store how far a worker is."""
    await session.execute(
        update(RuleImport)
        .where(RuleImport.id == import_id, RuleImport.state.in_(WORKING))
        .values(step=progress.step, done=progress.done, total=progress.total)
    )


async def show(
    session: AsyncSession,
    import_id: UUID,
    before: ImportState,
    after: ImportState,
    outcome: Outcome,
) -> bool:
    """Give an import a preview; return False if it is not in the state `before` any more."""
    return await _move(session, import_id, before, state=after, **asdict(outcome))


async def end(
    session: AsyncSession,
    import_id: UUID,
    before: ImportState,
    after: ImportState,
    now: datetime,
    **values: object,
) -> bool:
    """End an import and delete its document; False if it is not in the state `before` any more.

    values: of further columns.
    """
    if not await _move(session, import_id, before, state=after, ended_at=now, **values):
        return False
    await session.execute(delete(RuleImportPart).where(RuleImportPart.import_id == import_id))
    return True


async def _move(
    session: AsyncSession, import_id: UUID, before: ImportState, **values: object
) -> bool:
    moved = await session.scalar(
        update(RuleImport)
        .where(RuleImport.id == import_id, RuleImport.state == before)
        .values(**values)
        .returning(RuleImport.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None
