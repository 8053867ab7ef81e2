"""The database as a command uses it: opened for it, and why it can't be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.db import embedded, migrate
from app.db.engine import UNAVAILABLE_ERRORS, Database, open_database
from app.settings import Settings

# What a command fails with while the database is away or is not as it should be.
UNUSABLE: Final = (*UNAVAILABLE_ERRORS, SQLAlchemyError)

# Undefined schema, table and column.
_NOT_THERE: Final = frozenset({"3F000", "42P01", "42703"})


@asynccontextmanager
async def opened(settings: Settings, *, pool_size: int = 5) -> AsyncIterator[Database]:
    """Yield the database that the service uses; an embedded one is started and migrated."""
    url = settings.database_url or embedded.start(settings.data_dir)
    database = open_database(url, pool_size=pool_size)
    try:
        if not settings.database_url:
            await migrate.upgrade(database.engine)
        yield database
    finally:
        await database.close()


def why_unusable(error: Exception) -> str:
    """Return one line about an error of UNUSABLE, and what to do about it if that is known."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlstate", None) in _NOT_THERE:
        return "the database is not up to date; run oa-bridge migrate"
    lines = str((cause and cause.__cause__) or cause).splitlines()
    return f"the database can't be used: {lines[0] if lines else type(cause).__name__}"
