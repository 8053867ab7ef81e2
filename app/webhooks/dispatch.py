"""The scheduled job that finds webhooks with something to send and rings for each.

What is to be sent stands in the tables, so a ring that is lost, or comes twice, costs nothing,
and neither the inbox nor anything else that writes events has to know of webhooks.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.events.store import settled_position
from app.webhooks.event_types import EventType
from app.webhooks.fan_out import fan_out
from app.webhooks.jobs import deliver_job
from app.webhooks.models import Delivery, DeliveryStatus, Webhook


async def ring(sessions: SessionFactory, clock: Clock) -> None:
    """Make deliveries of new events, and a job for each webhook that has one due."""
    now = clock.now()
    async with sessions() as session:
        behind = await _behind(session, now)
    for webhook_id in behind:
        async with sessions.begin() as session:
            webhook = await session.get(Webhook, webhook_id, with_for_update={"skip_locked": True})
            if webhook is not None:
                await fan_out(session, webhook, now)
    async with sessions.begin() as session:
        await enqueue(session, [deliver_job(due) for due in await _with_due(session, now)])


async def _behind(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    reached = await settled_position(session)
    found = await session.scalars(
        select(Webhook.id).where(_sends(now), _nobodys(now), Webhook.cursor < reached)
    )
    return found.all()


async def _with_due(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    due = exists().where(
        Delivery.webhook_id == Webhook.id,
        Delivery.status == DeliveryStatus.WAITING,
        Delivery.next_at <= now,
        or_(_sends(now), Delivery.type == EventType.PING),
    )
    return (await session.scalars(select(Webhook.id).where(_nobodys(now), due))).all()


def _sends(now: datetime) -> ColumnElement[bool]:
    rests = and_(Webhook.rests_until.is_not(None), Webhook.rests_until > now)
    return and_(Webhook.enabled, ~rests)


def _nobodys(now: datetime) -> ColumnElement[bool]:
    return or_(Webhook.leased_until.is_(None), Webhook.leased_until <= now)
