"""Opens erasures for unfollows that a sync found, as the unsubscribe push would have done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import raw_connection
from app.follower_sync.diff import NewEvent
from app.privacy.models import Trigger
from app.privacy.policy import ErasureRequest, NewErasure
from app.privacy.store import open_on

BY_SYNC: Final = "sync"


async def open_for_unfollows(
    session: AsyncSession, appid: str, unfollows: Sequence[NewEvent], now: datetime
) -> None:
    """Open an erasure for each of the unfollows; ON_UNFOLLOW decides about its scope."""
    erasures = [
        NewErasure(
            id=event.id,
            duty=ErasureRequest(Trigger.UNSUBSCRIBE, ((appid, event.openid),)),
            appid=appid,
            requested_by=BY_SYNC,
            requested_at=now,
            until=event.occurred_at,
        )
        for event in unfollows
    ]
    await open_on(await raw_connection(session), erasures)
