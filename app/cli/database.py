"""Opens the database for a command, and explains database errors in one line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.db import embedded, migrate
from app.db.engine import UNAVAILABLE_ERRORS, Database, open_database
from app.settings import Settings

# Errors of a command while the database is unavailable or its schema is wrong.
UNUSABLE: Final = (*UNAVAILABLE_ERRORS, SQLAlchemyError)

# Undefined schema, table and column.
_SCHEMA_MISSING: Final = frozenset({"3F000", "42P01", "42703"})


@asynccontextmanager
async def opened(settings: Settings, *, pool_size: int = 5) -> AsyncIterator[Database]:
    """Yield the database of the service. An embedded one is started and migrated."""
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
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlstate", None) in _SCHEMA_MISSING:
        return "the database is not up to date; run oa-bridge migrate"
    lines = str((cause and cause.__cause__) or cause).splitlines()
    return f"the database can't be used: {lines[0] if lines else type(cause).__name__}"
