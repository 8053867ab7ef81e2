"""Opens erasures of OpenIDs that WeChat or a report links to an erased UnionID."""

from typing import Final

from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.privacy.models import Trigger
from app.privacy.plan import Eraser
from app.privacy.policy import BY_WECHAT, ErasureRequest, NewErasure
from app.privacy.store import open_erasure
from app.tombstones.models import Scope

MAX_AT_ONCE: Final = 100


async def open_for_linked_openids(eraser: Eraser) -> None:
    """Open erasures for up to MAX_AT_ONCE such OpenIDs, with the time of the UnionID's erasure."""
    async with eraser.sessions.begin() as session:
        for appid, openid, until in await session.execute(_LINKED_OPENIDS, {"limit": MAX_AT_ONCE}):
            erasure = NewErasure(
                id=uuid7(),
                duty=ErasureRequest(Trigger.LATE, ((appid, openid),)),
                appid=appid,
                requested_by=BY_WECHAT,
                requested_at=eraser.clock.now(),
                until=until,
                scope=Scope.EVERYTHING,
            )
            await open_erasure(session, erasure)


_LINKED_OPENIDS = text(
    """
    SELECT appid, openid, erased_until FROM openids o
    WHERE resolve_reason = 'erased' AND NOT EXISTS (
        SELECT FROM erasures WHERE finished_at IS NULL
          AND subject->'people' @> jsonb_build_array(jsonb_build_array(o.appid, o.openid))
    )
    LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)
