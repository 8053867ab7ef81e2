"""SQL of imports as the console begins and shows them; a worker carries them on (`work_store`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from uuid_utils.compat import uuid7

from app.access.actor import Actor
from app.db.queue import enqueue
from app.rules.importing.document import DocumentFormat
from app.rules.importing.jobs import import_job
from app.rules.importing.models import (
    ImportSource,
    ImportState,
    ImportStep,
    RuleImport,
    RuleImportPart,
)

MAX_OPEN: Final = 10
"""Imports whose documents are stored. Of two that begin at once, one more may be."""

MAX_LISTED: Final = 20
EXPIRES_AFTER: Final = timedelta(days=1)
"""Nobody has had the changes made by then: the document is deleted."""

PREVIEWED: Final = (ImportState.PREVIEWED, ImportState.CHANGED)
"""The states in which an operator has to look at an import."""


class TooManyImports(Exception):
    """As many imports as there may be wait for a worker."""


@dataclass(frozen=True, slots=True)
class Origin:
    """From where rules come. account: of `wechat`; file_name: of `file`."""

    source: ImportSource
    format: DocumentFormat
    account: str | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is; see `RuleImport`."""

    id: UUID
    state: ImportState
    step: ImportStep
    done: int
    total: int


async def begin(session: AsyncSession, origin: Origin, created_by: str, now: datetime) -> UUID:
    """Add an import without its document, and return its id. Raises TooManyImports.

    Where there are MAX_OPEN already, the oldest one that waits for an operator expires.
    """
    await _make_room(session, now)
    import_id: UUID = uuid7()
    await session.execute(
        insert(RuleImport).values(
            id=import_id,
            source=origin.source,
            account=origin.account,
            file_name=origin.file_name,
            format=origin.format,
            size=0,
            digest=b"",
            state=ImportState.CHECKING,
            step=ImportStep.WAITING,
            done=0,
            total=0,
            tries=0,
            created_by=created_by,
            created_at=now,
        )
    )
    return import_id


async def add_part(session: AsyncSession, import_id: UUID, number: int, content: bytes) -> None:
    """Add the next part of the document."""
    await session.execute(
        insert(RuleImportPart).values(import_id=import_id, number=number, content=content)
    )


async def let_check(session: AsyncSession, import_id: UUID, size: int, digest: bytes) -> None:
    """Let a worker check an import whose document is stored as a whole."""
    await session.execute(
        update(RuleImport).where(RuleImport.id == import_id).values(size=size, digest=digest)
    )
    await enqueue(session, [import_job(import_id, None)])


async def let_import(session: AsyncSession, import_id: UUID, actor: Actor, version: int) -> bool:
    """Let a worker make the changes of the preview of `version`, once.

    Return whether this call began it. It did not if somebody was faster, or if the preview of
    another version is there by now.
    """
    begun = await session.scalar(
        update(RuleImport)
        .where(
            RuleImport.id == import_id,
            RuleImport.state.in_(PREVIEWED),
            RuleImport.version == version,
        )
        .values(
            state=ImportState.IMPORTING,
            step=ImportStep.WAITING,
            done=0,
            total=0,
            tries=0,
            actor_name=actor.name,
            actor_address=actor.address,
        )
        .returning(RuleImport.id)
    )
    if begun is not None:
        await enqueue(session, [import_job(import_id, version)])
    return begun is not None


async def read(session: AsyncSession, import_id: UUID) -> RuleImport | None:
    """Return an import; None if it does not exist."""
    return await session.get(RuleImport, import_id)


async def read_progress(session: AsyncSession, import_id: UUID) -> ImportProgress | None:
    """Return how far an import is; None if it does not exist."""
    columns = (RuleImport.id, RuleImport.state, RuleImport.step, RuleImport.done, RuleImport.total)
    found = await session.execute(select(*columns).where(RuleImport.id == import_id))
    row = found.one_or_none()
    return None if row is None else ImportProgress(*row)


async def latest(session: AsyncSession) -> Sequence[RuleImport]:
    """Return the latest imports, up to MAX_LISTED, without their previews and problems."""
    found = await session.scalars(
        select(RuleImport)
        .options(defer(RuleImport.preview), defer(RuleImport.problems))
        .order_by(RuleImport.id.desc())
        .limit(MAX_LISTED)
    )
    return found.all()


async def expire(session: AsyncSession, import_ids: Sequence[UUID], now: datetime) -> None:
    """End those of the imports that wait for an operator, and delete their documents."""
    if not import_ids:
        return
    expired = await session.scalars(
        update(RuleImport)
        .where(RuleImport.id.in_(import_ids), RuleImport.state.in_(PREVIEWED))
        .values(state=ImportState.EXPIRED, ended_at=now)
        .returning(RuleImport.id)
    )
    await session.execute(delete(RuleImportPart).where(RuleImportPart.import_id.in_(expired.all())))


async def _make_room(session: AsyncSession, now: datetime) -> None:
    found = await session.execute(
        select(RuleImport.id, RuleImport.state)
        .where(RuleImport.ended_at.is_(None))
        .order_by(RuleImport.id)
    )
    open_imports = found.all()
    if len(open_imports) < MAX_OPEN:
        return
    oldest = [import_id for import_id, state in open_imports if state in PREVIEWED][:1]
    if not oldest:
        raise TooManyImports
    await expire(session, oldest, now)
