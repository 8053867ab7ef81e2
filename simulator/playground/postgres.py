"""The Postgres of the playground, started and stopped with it."""

import asyncio
import subprocess
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from app.db import embedded, migrate
from app.db.engine import open_database
from simulator.playground.errors import PlaygroundError


class Postgres:
    """The embedded Postgres under one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._starting: asyncio.Task[str] | None = None

    async def start(self) -> str:
        """Start the server, migrate the database and return its URL. Raises PlaygroundError."""
        self._starting = asyncio.create_task(
            asyncio.to_thread(embedded.start, self._data_dir, stop_with_last_user=False)
        )
        try:
            # A thread can't be cancelled, so `stop` waits for it before it stops the server.
            url = await asyncio.shield(self._starting)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            log = self._data_dir / embedded.FOLDER / "log"
            raise PlaygroundError(f"Postgres does not start ({error}); see {log}") from error
        await _migrate(url)
        return url

    async def stop(self) -> None:
        """Stop the server, even while it is starting."""
        if self._starting is None:
            return
        await asyncio.wait([self._starting])
        if self._starting.exception() is None:
            await asyncio.to_thread(embedded.stop, self._data_dir)


async def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        await migrate.upgrade(database.engine)
    except (CommandError, SQLAlchemyError, OSError) as error:
        raise PlaygroundError(
            f"the database can't be brought to the newest schema: {error}"
        ) from error
    finally:
        await database.close()
