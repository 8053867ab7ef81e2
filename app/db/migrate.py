"""Migrates a database to the newest schema, and reads its schema revision."""

import asyncio
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.engine import UNAVAILABLE_ERRORS
from app.db.index_builder import build_indexes

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option(
        "file_template",
        "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s",
    )
    config.attributes["connection"] = connection
    return config


class NewerSchema(Exception):
    """A newer version of OA Bridge has migrated the database; this one does not know how."""


class IndexesNotBuilt(Exception):
    """The database is migrated, but an index is missing. Its cause is the database's error."""


async def upgrade(engine: AsyncEngine, revision: str = "head") -> list[str]:
    """Run every outstanding migration, then build the indexes that are built in use.

    Returns a line for each: what was done. Waits while another process migrates. Raises
    NewerSchema, IndexesNotBuilt.
    """
    done: list[str] = []

    def note(*, step: MigrationInfo, **_: object) -> None:
        scripts = (script for script in step.up_revisions if isinstance(script, Script))
        done.extend(f"migrated to {script.revision} {script.doc}" for script in scripts)

    def run(connection: Connection) -> None:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in revisions()[1]:
            raise NewerSchema
        config = _config(connection)
        config.attributes["on_version_apply"] = note
        command.upgrade(config, revision)

    async with engine.begin() as connection:
        await connection.run_sync(run)
    if revision == "head":
        try:
            built = await build_indexes(engine)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            raise IndexesNotBuilt from error
        done.extend(f"built the index {name}" for name in built)
    return done


@lru_cache(maxsize=1)
def revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision of this code, and all revisions. It reads files once."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known


async def is_behind(engine: AsyncEngine) -> bool:
    """Return whether the database lacks migrations that this code needs.

    One that a newer version has migrated is not behind: during a release old code runs on it.
    """
    found = await current(engine)
    head, known = await asyncio.to_thread(revisions)
    return found != head and (found is None or found in known)


def newest() -> str | None:
    """Return the revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def current(engine: AsyncEngine) -> str | None:
    """Return the revision of the database; None if it is empty."""

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with engine.connect() as connection:
        return await connection.run_sync(read)
