"""Counts the follows and unfollows of a span of time, each with its own index entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction

# More are not counted, so that a page has its figures soon.
MAX_COUNTED: Final = 100_000

_COUNT: Final = text("""
SELECT count(*) FROM (
    SELECT FROM follow_events
    WHERE appid = ANY(CAST(:appids AS text[])) AND action = :action
      AND occurred_at >= :since AND occurred_at < :until
    LIMIT :most
) AS found
""")


async def count(
    session: AsyncSession,
    appids: Sequence[str],
    action: FollowAction,
    since: datetime,
    until: datetime,
) -> int:
    """Return how often people did this from `since` to before `until`, MAX_COUNTED at most."""
    bound = {
        "appids": list(appids),
        "action": action.value,
        "since": since,
        "until": until,
        "most": MAX_COUNTED,
    }
    return int((await session.execute(_COUNT, bound)).scalar_one())
