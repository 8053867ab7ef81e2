"""Records what is learnt about UnionIDs in every row of the OpenIDs, in the caller's transaction.

Order of locks: `identity` first, which locks the openids rows in order of their keys, as the inbox
does; then `events` (follow_events, subscription_events, followers, consents). So an event that is
being stored at the same moment either sees the UnionID or gets it here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.events import unionid_store as events
from app.identity import unionid_store as identity
from app.identity.models import UnionIdSource
from app.identity.unionid_store import UnionIdResult


@dataclass(frozen=True, slots=True)
class RecordedUnionIds:
    """changed: OpenIDs that had another UnionID before. woken: accounts to ask about again."""

    changed: int
    woken: tuple[str, ...]


async def record_unionids(
    session: AsyncSession, results: Sequence[UnionIdResult], *, source: UnionIdSource, now: datetime
) -> RecordedUnionIds:
    """Record results, one per OpenID; the OpenIDs must exist.

    The first UnionID of an account that gave none shows that it has been bound: up to
    MAX_WOKEN of its people who were `not_bound` become due at once, more with each result.
    """
    changed = await identity.record_results(session, results, source=source, now=now)
    known = [
        (result.appid, result.openid, result.unionid)
        for result in results
        if result.unionid is not None
    ]
    await events.set_unionids(session, known)
    hows = [
        (result.appid, result.openid, result.how) for result in results if result.how is not None
    ]
    await events.set_how(session, hows)
    woken = await identity.wake_unbound(session, {appid for appid, _, _ in known}, now)
    return RecordedUnionIds(changed, woken)
