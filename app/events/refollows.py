"""Finds re-follows. They are computed when read, because an earlier unfollow may arrive late."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction, FollowEvent


async def refollows(session: AsyncSession, events: Sequence[FollowEvent]) -> set[UUID]:
    """Return the ids of those follows before which the person had unfollowed."""
    follows = [one for one in events if one.action is FollowAction.FOLLOW]
    people = {(one.appid, one.openid) for one in follows}
    if not people:
        return set()
    unfollows = await session.execute(
        select(FollowEvent.appid, FollowEvent.openid, FollowEvent.occurred_at, FollowEvent.id)
        .ext(distinct_on(FollowEvent.appid, FollowEvent.openid))
        .where(
            tuple_(FollowEvent.appid, FollowEvent.openid).in_(people),
            FollowEvent.action == FollowAction.UNFOLLOW,
        )
        .order_by(FollowEvent.appid, FollowEvent.openid, FollowEvent.occurred_at, FollowEvent.id)
    )
    first_unfollow = {(appid, openid): (at, event_id) for appid, openid, at, event_id in unfollows}
    return {
        one.id
        for one in follows
        if (one.appid, one.openid) in first_unfollow
        and first_unfollow[one.appid, one.openid] < (one.occurred_at, one.id)
    }
