"""Rows as the lists and exports tell them."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import Follower, FollowEvent, SubscriptionEvent
from app.events.refollows import refollows
from app.events.schemas import FollowerOut, FollowEventOut, SubscriptionEventOut


async def follow_events(session: AsyncSession, rows: Sequence[FollowEvent]) -> list[FollowEventOut]:
    """Tell follow events, re-follows as such."""
    again = await refollows(session, rows)
    return [FollowEventOut.of(row, again) for row in rows]


async def subscription_events(
    _: AsyncSession, rows: Sequence[SubscriptionEvent]
) -> list[SubscriptionEventOut]:
    """Tell subscription events."""
    return [SubscriptionEventOut.model_validate(row) for row in rows]


async def followers(_: AsyncSession, rows: Sequence[Follower]) -> list[FollowerOut]:
    """Tell followers."""
    return [FollowerOut.model_validate(row) for row in rows]
