"""The scheduled job that enqueues a delivery job for every webhook with something to send.

It reads from the tables what is to be sent. So a job that is lost or enqueued twice does no harm,
and the inbox and other code that writes events need not know about webhooks.
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


async def dispatch(sessions: SessionFactory, clock: Clock) -> None:
    """Make deliveries of new events, and enqueue a job for each webhook with a due delivery."""
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
    last_position = await settled_position(session)
    found = await session.scalars(
        select(Webhook.id).where(_may_send(now), _is_unclaimed(now), Webhook.cursor < last_position)
    )
    return found.all()


async def _with_due(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    due = exists().where(
        Delivery.webhook_id == Webhook.id,
        Delivery.status == DeliveryStatus.WAITING,
        Delivery.next_at <= now,
        or_(_may_send(now), Delivery.type == EventType.PING),
    )
    return (await session.scalars(select(Webhook.id).where(_is_unclaimed(now), due))).all()


def _may_send(now: datetime) -> ColumnElement[bool]:
    rests = and_(Webhook.rests_until.is_not(None), Webhook.rests_until > now)
    return and_(Webhook.enabled, ~rests)


def _is_unclaimed(now: datetime) -> ColumnElement[bool]:
    return or_(Webhook.leased_until.is_(None), Webhook.leased_until <= now)
