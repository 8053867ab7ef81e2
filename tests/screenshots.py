"""Makes the pictures of the console in the documentation: `make screenshots`.

It walks through the console as `tests/console/walk.py` does, in both languages, in front of an
embedded Postgres and with made-up people. The pictures are `docs/images/console-….png`.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from app.db import migrate
from app.db.engine import connect, open_database
from benchmarks.history_reading import temporary_postgres
from tests.console.browser import ConsoleInBrowser, View, chromium, serving
from tests.console.walk import prepare, walk
from tests.docs.pages import DOCS
from tests.service import WorldClock, running, settings_for

FOLDER: Final = DOCS / "images"
LANGUAGES: Final = ("zh", "en")


async def take(url: str, folder: Path, language: str) -> None:
    """Take the pictures of one language, in a database of their own."""
    connection = await connect(url)
    await connection.execute("DROP SCHEMA public CASCADE")
    await connection.execute("CREATE SCHEMA public")
    await connection.close()
    database = open_database(url)
    await migrate.upgrade(database.engine)
    await database.close()
    async with (
        chromium() as browser,
        running(settings_for(url, folder), WorldClock()) as service,
        serving(service.app) as origin,
    ):
        console = ConsoleInBrowser(browser, service, origin)
        await prepare(service)

        async def show(name: str) -> None:
            (window,) = browser.contexts
            path = FOLDER / f"console-{name}-{language}.png"
            await window.pages[0].screenshot(path=path)
            print(path)  # noqa: T201 - a command

        faults = await walk(console, View(language), show)
        if faults:
            raise SystemExit("\n".join(faults))


def main() -> None:
    """Take all pictures."""
    with temporary_postgres() as url, tempfile.TemporaryDirectory() as folder:
        for language in LANGUAGES:
            asyncio.run(take(url, Path(folder), language))


if __name__ == "__main__":
    main()
