"""Turns rows into the JSON shapes of lists and exports."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import Follower, FollowEvent, SubscriptionEvent
from app.events.refollows import refollows
from app.events.schemas import FollowerOut, FollowEventOut, SubscriptionEventOut


async def follow_events(session: AsyncSession, rows: Sequence[FollowEvent]) -> list[FollowEventOut]:
    """Return follow events, with their `refollow`."""
    refollow_ids = await refollows(session, rows)
    return [FollowEventOut.of(row, refollow_ids) for row in rows]


async def subscription_events(
    _: AsyncSession, rows: Sequence[SubscriptionEvent]
) -> list[SubscriptionEventOut]:
    """Return subscription events."""
    return [SubscriptionEventOut.model_validate(row) for row in rows]


async def followers(_: AsyncSession, rows: Sequence[Follower]) -> list[FollowerOut]:
    """Return followers."""
    return [FollowerOut.model_validate(row) for row in rows]
