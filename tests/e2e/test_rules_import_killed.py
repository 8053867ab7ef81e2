"""kill -9 of workers in the middle of an import of rules that the console has begun."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import orjson
import pytest

from app.access.actor import Actor, ActorKind
from app.db.engine import Database, connect, open_database
from app.rules.importing import import_store
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_store import Origin
from app.rules.importing.models import ImportSource, ImportState, ImportStep
from app.rules.importing.receive import receive
from tests.e2e.stack import Stack
from tests.rules.makers import as_posted
from tests.waiting import eventually

EDITOR = Actor(ActorKind.OPERATOR, "小李", "192.0.2.1")
NAMES = [f"Imported {number:04}" for number in range(1500)]
# Each change of a rule adds a row there, so that the import waits before its first one.
LOCK = "LOCK TABLE rule_revisions IN SHARE MODE"
IMPORTED = "SELECT count(*) FROM audit_log WHERE action = 'rules.imported' AND actor_name = $1"


@pytest.fixture
async def database(stack: Stack) -> AsyncIterator[Database]:
    """The database of the stack, as a web process opens it."""
    opened = open_database(stack.tables.url)
    yield opened
    await opened.close()


async def begun(database: Database) -> UUID:
    """Begin an import as the console does."""
    document = orjson.dumps({"rules": [as_posted(name=name) for name in NAMES]})
    origin = Origin(ImportSource.FILE, DocumentFormat.JSON, file_name="rules.json")
    async with database.sessions.begin() as session:
        return await receive(session, origin, BytesIO(document), "小王", datetime.now(UTC))


async def reached(database: Database, import_id: UUID, wanted: ImportState | ImportStep) -> None:
    """Return once an import has a state or step."""

    async def is_there() -> bool:
        async with database.sessions() as session:
            found = await import_store.read_progress(session, import_id)
        return found is not None and wanted in (found.state, found.step)

    await eventually(is_there, f"the import to be {wanted}")


async def test_rules_are_imported_once_though_every_worker_is_killed_while_it_writes_them(
    stack: Stack, database: Database
) -> None:
    import_id = await begun(database)
    await reached(database, import_id, ImportState.PREVIEWED)
    async with database.sessions() as session:
        preview = await import_store.read(session, import_id)
    assert preview is not None
    assert preview.version is not None
    holder = await connect(stack.tables.url)
    async with holder.transaction():
        await holder.execute(LOCK)
        async with database.sessions.begin() as session:
            assert await import_store.let_import(session, import_id, EDITOR, preview.version)
        await reached(database, import_id, ImportStep.WRITING)
        for worker in stack.workers:
            worker.kill()
    await holder.close()
    untouched = await stack.tables.value("SELECT array_agg(name) FROM rules")
    for worker in stack.workers:
        await asyncio.to_thread(worker.restart)
    await reached(database, import_id, ImportState.DONE)

    assert untouched == ["Shop"]
    assert preview.added == len(NAMES)
    found = await stack.tables.rows("SELECT name FROM rules ORDER BY id")
    assert [row["name"] for row in found] == NAMES
    assert await stack.tables.value(IMPORTED, EDITOR.name) == 1
    assert await stack.tables.value("SELECT count(*) FROM rule_import_parts") == 0
