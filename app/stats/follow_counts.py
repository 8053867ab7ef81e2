"""Counts the follows and unfollows of a span of time, each with its own index entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction

_COUNT: Final = text("""
SELECT count(*) FROM follow_events
WHERE appid = ANY(CAST(:appids AS text[])) AND action = :action
  AND occurred_at >= :since AND occurred_at < :until
""")


async def count(
    session: AsyncSession,
    appids: Sequence[str],
    action: FollowAction,
    since: datetime,
    until: datetime,
) -> int:
    """Return how often people did this from `since` to before `until`."""
    bound = {"appids": list(appids), "action": action.value, "since": since, "until": until}
    return int((await session.execute(_COUNT, bound)).scalar_one())
