"""Keeps an erasure and the queueing of an audience apart, by one lock for each account.

A chunk of an audience holds it shared until it commits, and reads who is in the audience after it
has got it. The last step of an erasure takes it alone before it looks for notices. So the erasure
finds what a chunk has queued, and a chunk does not queue somebody who is erased. To lock the row of
each person instead would take a quarter of the time that a chunk needs.

The lock is taken before the row of a send: an erasure changes sends that name the person, too.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def lock_shared(session: AsyncSession, appid: str) -> None:
    """Let erasures wait for this transaction; wait for one that is going on."""
    await session.execute(_SHARED, {"name": _NAME + appid})


async def lock_exclusive(session: AsyncSession, appid: str) -> None:
    """Wait for the chunks that are being queued, and let later ones wait for this transaction."""
    await session.execute(_EXCLUSIVE, {"name": _NAME + appid})


_NAME: Final = "oa_bridge.notice_audiences."
_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_EXCLUSIVE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
