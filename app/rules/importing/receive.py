"""Stores the document of an import in parts, so that it takes little memory."""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.rules.importing import import_store
from app.rules.importing.byte_source import ByteSource
from app.rules.importing.import_store import Origin
from app.rules.importing.limits import CHUNK_BYTES


async def receive(
    session: AsyncSession, origin: Origin, document: ByteSource, created_by: str, now: datetime
) -> UUID:
    """Store a document and let a worker check it; return the id of the import.

    document: is read in threads, and up to its end. Raises TooManyImports.
    """
    import_id = await import_store.begin(session, origin, created_by, now)
    digest, size, number = hashlib.sha256(), 0, 0
    while content := await asyncio.to_thread(document.read, CHUNK_BYTES):
        await asyncio.to_thread(digest.update, content)
        await import_store.add_part(session, import_id, number, content)
        size, number = size + len(content), number + 1
    await import_store.let_check(session, import_id, size, digest.digest())
    return import_id
