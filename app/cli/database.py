"""Opens the database for a command, and explains database errors in one line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.cli.folder import require_folder
from app.db import embedded, migrate
from app.db.diagnosis import cause_of, diagnose
from app.db.engine import UNAVAILABLE_ERRORS, Database, open_database
from app.settings import Settings

# Errors of a command while the database is unavailable or its schema is wrong.
UNUSABLE: Final = (*UNAVAILABLE_ERRORS, SQLAlchemyError)


@asynccontextmanager
async def opened(settings: Settings, *, pool_size: int = 5) -> AsyncIterator[Database]:
    """Yield the database of the service. An embedded one is started and migrated."""
    if not settings.database_url:
        require_folder(settings.data_dir)
    url = settings.database_url or embedded.start(settings.data_dir)
    database = open_database(url, pool_size=pool_size)
    try:
        if not settings.database_url:
            await migrate.upgrade(database.engine)
        yield database
    finally:
        await database.close()


def why_unusable(error: Exception) -> str:
    """Return one line about an error of UNUSABLE, with the fix if it is known."""
    known = diagnose(error)
    if known is not None:
        return known
    cause = cause_of(error)
    lines = str(cause).splitlines()
    return f"the database can't be used: {lines[0] if lines else type(cause).__name__}"
