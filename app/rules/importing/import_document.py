"""The job that carries one import on: it checks the document, or makes the changes.

The changes and the state `done` are one transaction, so that a worker that is killed has done all
or nothing. Nothing is locked while the document is read.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final
from uuid import UUID

import orjson
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor, ActorKind
from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.rules.background import background_work
from app.rules.definition.validation_errors import InvalidRequest
from app.rules.importing import work_store
from app.rules.importing.console_answer import read_answer
from app.rules.importing.import_rules import Import, RulesChanged, run_import
from app.rules.importing.imported_rules import ImportedRules, read_rules
from app.rules.importing.models import ImportSource, ImportState, ImportStep, RuleImport
from app.rules.importing.preview import preview_of, problems_of
from app.rules.importing.progress import CountedBytes, Progress
from app.rules.importing.scratch import scratch_file
from app.rules.importing.work_store import Outcome
from app.settings import Settings

PROGRESS_SECONDS: Final = 1.0


class NotItsTurn(Exception):
    """Another worker was faster: what was done here is rolled back."""


@dataclass(frozen=True, slots=True)
class Importer:
    """What the job needs."""

    sessions: SessionFactory
    clock: Clock
    settings: Settings


@dataclass(frozen=True, slots=True)
class Document:
    """The rules of a document. skipped: a line for each thing in it that can't be a rule."""

    rules: ImportedRules
    skipped: Sequence[str] = ()


async def import_document(importer: Importer, import_id: UUID) -> None:
    """Check an import, or make the changes that were shown; nothing if neither is to be done."""
    async with importer.sessions.begin() as session:
        row = await work_store.take(session, import_id, importer.clock.now())
    if row is None:
        return
    progress = Progress()
    progress.begin(ImportStep.READING, row.size)
    try:
        async with _stored_progress(importer.sessions, import_id, progress):
            with background_work():
                await _carry_on(importer, row, progress)
    except InvalidRequest as invalid:
        await _refuse(importer, row, invalid)
    except NotItsTurn:
        return


async def _carry_on(importer: Importer, row: RuleImport, progress: Progress) -> None:
    document = await _read(importer, row, progress)
    try:
        if row.state is ImportState.CHECKING:
            await _check(importer, row, document, progress)
        else:
            await _import(importer, row, document, progress)
    finally:
        document.rules.close()


async def _read(importer: Importer, row: RuleImport, progress: Progress) -> Document:
    """Return what the document has. Raises InvalidRequest."""
    with scratch_file(importer.settings.data_dir) as file:
        async with importer.sessions() as session:
            async for content in work_store.parts(session, row.id):
                await asyncio.to_thread(file.write, content)
        file.seek(0)
        try:
            return await asyncio.to_thread(_document, file, row, importer.settings, progress)
        except asyncio.CancelledError:
            progress.stop()
            raise


def _document(file: IO[bytes], row: RuleImport, settings: Settings, progress: Progress) -> Document:
    if row.source is ImportSource.WECHAT:
        return Document(*read_answer(orjson.loads(file.read()), row.account or "", settings))
    return Document(read_rules(CountedBytes(file, progress), row.format, settings))


async def _check(
    importer: Importer, row: RuleImport, document: Document, progress: Progress
) -> None:
    """Store what would change."""
    async with importer.sessions.begin() as session:
        found = await _run(session, row, document, progress, dry_run=True)
        outcome = await _outcome(found, document)
        await work_store.show(session, row.id, row.state, ImportState.PREVIEWED, outcome)


async def _import(
    importer: Importer, row: RuleImport, document: Document, progress: Progress
) -> None:
    """Make the changes, or store what would change now. Raises NotItsTurn."""
    async with importer.sessions.begin() as session:
        try:
            made = await _run(session, row, document, progress, dry_run=False)
        except RulesChanged:
            found = await _run(session, row, document, progress, dry_run=True)
            outcome = await _outcome(found, document)
            await work_store.show(session, row.id, row.state, ImportState.CHANGED, outcome)
            return
        made.plan.diffs.close()
        now, values = importer.clock.now(), _counts(made)
        # Of two workers that are at it, the second one has met other rules, or another state.
        if not await work_store.end(session, row.id, row.state, ImportState.DONE, now, **values):
            raise NotItsTurn


async def _run(
    session: AsyncSession,
    row: RuleImport,
    document: Document,
    progress: Progress,
    *,
    dry_run: bool,
) -> Import:
    version = row.version
    return await run_import(
        session,
        document.rules,
        Actor(ActorKind.OPERATOR, row.actor_name or row.created_by, row.actor_address),
        dry_run=dry_run,
        add_only=row.source is ImportSource.WECHAT,
        expected=None if dry_run or version is None else frozenset({version}),
        progress=progress,
    )


async def _outcome(found: Import, document: Document) -> Outcome:
    preview = await asyncio.to_thread(preview_of, found.plan, document.skipped)
    found.plan.diffs.close()
    return Outcome(found.version, **_counts(found), preview=preview)


def _counts(found: Import) -> dict[str, int]:
    made = found.plan
    return {
        "added": len(made.added),
        "changed": len(made.changed),
        "removed": len(made.removed),
        "unchanged": made.unchanged,
    }


async def _refuse(importer: Importer, row: RuleImport, invalid: InvalidRequest) -> None:
    problems = problems_of(invalid.problems)
    async with importer.sessions.begin() as session:
        now = importer.clock.now()
        await work_store.end(
            session, row.id, row.state, ImportState.REFUSED, now, problems=problems
        )


@asynccontextmanager
async def _stored_progress(
    sessions: SessionFactory, import_id: UUID, progress: Progress
) -> AsyncIterator[None]:
    """Store how far it is, every PROGRESS_SECONDS, while the block runs."""
    is_over = asyncio.Event()
    storing = asyncio.create_task(_store_progress(sessions, import_id, progress, is_over))
    try:
        yield
    finally:
        is_over.set()
        await storing


async def _store_progress(
    sessions: SessionFactory, import_id: UUID, progress: Progress, is_over: asyncio.Event
) -> None:
    while not is_over.is_set():
        # It is no harm if the page learns of it later, or not at all.
        with suppress(*UNAVAILABLE_ERRORS, SQLAlchemyError):
            async with sessions.begin() as session:
                await work_store.store_progress(session, import_id, progress)
        with suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), PROGRESS_SECONDS)
