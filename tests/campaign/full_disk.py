"""A disk without room: under the spool while the database is away, and under the database."""

import asyncio
import errno
from contextlib import suppress
from pathlib import Path

from tests.campaign.deployment import Deployment

AWAY_SECONDS = 30
FULL_SECONDS = 20
BALLAST = "ballast"
BLOCK = bytes(1 << 16)


async def fill_the_spool(deployment: Deployment) -> None:
    """Take the database away and all the room of the spool; give back the database alone."""
    ballast = deployment.data_folder / BALLAST
    await asyncio.to_thread(_fill, ballast)
    await deployment.postgres.stop_at_once()
    await asyncio.sleep(AWAY_SECONDS)
    await deployment.postgres.start()
    # The disk stays full: the spool has to be emptied without room.


async def fill_the_database(deployment: Deployment) -> None:
    """Take all the room of the database, give it back, and start it if it has given up."""
    ballast = deployment.postgres.folder / BALLAST
    full = asyncio.create_task(_keep_full(ballast))
    await asyncio.sleep(FULL_SECONDS)
    full.cancel()
    with suppress(asyncio.CancelledError):
        await full
    ballast.unlink()
    await deployment.postgres.start()


async def _keep_full(ballast: Path) -> None:
    # The server gives files back now and then.
    while True:
        await asyncio.to_thread(_fill, ballast)
        await asyncio.sleep(0.2)


def _fill(path: Path) -> None:
    """Append to a file until there is no room left."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(BLOCK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
