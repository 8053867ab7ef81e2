"""The database stops, hangs, or cuts its connections."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.db.engine import UNAVAILABLE_ERRORS
from tests.campaign.deployment import Deployment

CUT_ROUNDS = 30
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""

Inject = Callable[[Deployment], Awaitable[None]]


def stopped_for(seconds: float) -> Inject:
    """Stop Postgres as a power cut does, and start it again."""

    async def inject(deployment: Deployment) -> None:
        await deployment.postgres.stop_at_once()
        await asyncio.sleep(seconds)
        await deployment.postgres.start()

    return inject


def hung_for(seconds: float) -> Inject:
    """Let Postgres keep its connections and answer nobody."""

    async def inject(deployment: Deployment) -> None:
        with deployment.postgres.frozen():
            await asyncio.sleep(seconds)

    return inject


async def cut_every_second(deployment: Deployment) -> None:
    """End every connection to the database once a second, half a minute long."""
    for _ in range(CUT_ROUNDS):
        with suppress(*UNAVAILABLE_ERRORS):
            await deployment.stack.tables.rows(CUT)
        await asyncio.sleep(1)
