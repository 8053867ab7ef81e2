"""Imports of rules for the pages about them, one in each state."""

from io import BytesIO
from uuid import UUID

import orjson

from app.console.rules.import_page import MAX_FILE_NAME
from app.rules.importing import import_store
from app.rules.importing.document import DocumentFormat
from app.rules.importing.import_document import Importer, import_document
from app.rules.importing.import_store import Origin
from app.rules.importing.models import ImportSource, RuleImport
from app.rules.importing.receive import receive
from tests.service import Service, text_reply

TRIGGER = {"on": "text", "match": "exact", "keyword": "hello"}


def document(*names: str, **changes: object) -> bytes:
    """Return a document in JSON with rules of these names."""
    rules = [
        {"name": name, "trigger": TRIGGER, "replies": [text_reply()], **changes} for name in names
    ]
    return orjson.dumps({"rules": rules})


async def begun(
    service: Service, content: bytes, *, file_name: str = "rules.json", by: str = "小王"
) -> UUID:
    """Begin the import of a file, as a form of the console does."""
    origin = Origin(ImportSource.FILE, DocumentFormat.JSON, file_name=file_name[:MAX_FILE_NAME])
    async with service.app.state.database.sessions.begin() as session:
        return await receive(session, origin, BytesIO(content), by, service.clock.now())


async def work(service: Service, import_id: UUID) -> None:
    """Do what a worker has to do for an import."""
    sessions = service.app.state.database.sessions
    await import_document(Importer(sessions, service.clock, service.settings), import_id)


async def stored(service: Service, import_id: UUID) -> RuleImport:
    """Return the row of an import."""
    async with service.app.state.database.sessions() as session:
        found = await import_store.read(session, import_id)
        assert found is not None
        return found


async def a_preview(service: Service) -> str:
    """Return the page of an import that changes, adds and removes rules."""
    await service.add_rule(text_reply(), name="Old")
    await service.add_rule(text_reply("old words"), name="<b>Kept")
    import_id = await begun(service, document("<b>Kept", "New 规则"))
    await work(service, import_id)
    return f"/rules/imports/{import_id}"


async def an_import_that_waits(service: Service) -> str:
    """Return the page of an import that no worker has come to."""
    return f"/rules/imports/{await begun(service, document('A'))}"


async def a_refused_import(service: Service) -> str:
    """Return the page of an import of rules that are none."""
    import_id = await begun(service, document("", "B" * 500, replies=[]))
    await work(service, import_id)
    return f"/rules/imports/{import_id}"


async def a_list(service: Service) -> str:
    """Return the list of the latest imports."""
    for make in (a_preview, an_import_that_waits, a_refused_import):
        await make(service)
    return "/rules/import"
