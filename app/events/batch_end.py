"""Finds how far a batch of the history goes that is counted at once."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction


async def last_of_batch(
    session: AsyncSession,
    appids: Sequence[str],
    actions: Sequence[FollowAction],
    *,
    after: int,
    upto: int,
    batch: int,
) -> int | None:
    """Return the position of the last of `batch` events of these accounts and actions.

    The cursor of who counts goes there. after, upto: positions, the second one included. None:
    there are fewer.
    """
    found: int | None = await session.scalar(
        _LAST_OF_BATCH,
        {
            "appids": list(appids),
            "actions": list(actions),
            "after": after,
            "upto": upto,
            "batch": batch,
        },
    )
    return found


_LAST_OF_BATCH: Final = text("""
SELECT max(position) FROM (
    SELECT position FROM unnest(CAST(:appids AS text[])) AS a(appid)
    CROSS JOIN unnest(CAST(:actions AS text[])) AS k(action)
    CROSS JOIN LATERAL (
        SELECT f.position FROM follow_events f
        WHERE f.appid = a.appid AND f.action = k.action
          AND f.position > :after AND f.position <= :upto
        ORDER BY f.position LIMIT :batch
    ) AS e
    ORDER BY position LIMIT :batch
) AS first HAVING count(*) = :batch
""")
