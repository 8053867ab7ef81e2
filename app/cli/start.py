"""Sets up what `serve`, `worker` and `migrate` need: the logging, and a migrated database."""

import asyncio
import os
from typing import Final

import typer

from app.cli.database import UNUSABLE, why_unusable
from app.cli.folder import require_folder
from app.cli.start_warnings import warn
from app.db import embedded
from app.db import migrate as migrations
from app.db.engine import open_database
from app.ops import logging, otel
from app.settings import Settings

FAILED: Final = 1
NEWER_SCHEMA = (
    "the database was migrated by a newer version of OA Bridge; install that version, or restore "
    "the backup of before"
)


def prepare(settings: Settings, *, uses_data_dir: bool) -> Settings:
    """Set up logging, and return settings with a database.

    The embedded Postgres is started and migrated, so that a first run needs no other command. An
    operator's own database is migrated only by `oa-bridge migrate`. uses_data_dir: whether the
    process has files in DATA_DIR even without the embedded Postgres.
    """
    otel.require_otel(settings)
    logging.configure(settings)
    is_embedded = not settings.database_url
    if is_embedded:
        settings = choose_database(settings)
        apply_migrations(settings)
    warn(settings, uses_data_dir=uses_data_dir or is_embedded)
    return settings


def choose_database(settings: Settings) -> Settings:
    """Return settings with a database: the embedded one, which is started, if none is named."""
    if settings.database_url:
        return settings
    require_folder(settings.data_dir)
    # Web processes that uvicorn starts read their settings from the environment.
    url = os.environ["DATABASE_URL"] = embedded.start(settings.data_dir)
    return settings.model_copy(update={"database_url": url})


def apply_migrations(settings: Settings) -> list[str]:
    """Migrate the database; return a line for each migration. Ends with one line if it fails."""
    try:
        return asyncio.run(_migrate(settings))
    except migrations.NewerSchema:
        reason = NEWER_SCHEMA
    except migrations.IndexesNotBuilt as error:
        cause = error.__cause__
        why = why_unusable(cause) if isinstance(cause, Exception) else "an index is missing"
        reason = f"{why}; the database is migrated, but an index is missing: run it again"
    except UNUSABLE as error:
        reason = f"{why_unusable(error)}; nothing was changed"
    typer.echo(f"oa-bridge: {reason}", err=True)
    raise typer.Exit(FAILED)


async def _migrate(settings: Settings) -> list[str]:
    # There is no time limit, since an index over a large table may take long.
    database = open_database(settings.database_url, command_timeout=None)
    try:
        return await migrations.upgrade(database.engine)
    finally:
        await database.close()
