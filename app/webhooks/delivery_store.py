"""SQL of `/api/webhooks/{id}/…`: the list of deliveries, a replay, a ping."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor
from app.webhooks.event_types import EventType
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.store import subject_of


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries to list. before: last id of the page before. limit: at most so many."""

    before: UUID | None
    limit: int
    status: DeliveryStatus | None = None


async def replay(
    session: AsyncSession, actor: Actor, webhook: Webhook, start: int, now: datetime
) -> None:
    """Send the events from position `start` on again. The caller has locked the webhook's row.

    Their waiting deliveries become `replaced`, since new deliveries will be made.
    """
    webhook.cursor = start - 1
    webhook.updated_at = now
    await session.execute(
        update(Delivery)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.status == DeliveryStatus.WAITING,
            Delivery.position >= start,
        )
        .values(status=DeliveryStatus.REPLACED, next_at=None, finished_at=now)
    )
    subject = subject_of(webhook.id)
    await audit.record(session, actor, Action.WEBHOOK_REPLAYED, subject, now=now, after=start)


async def add_ping(
    session: AsyncSession, actor: Actor, webhook: Webhook, now: datetime
) -> Delivery:
    """Add a `webhook.ping`, a delivery without an event that is tried once."""
    ping = Delivery(
        id=uuid7(),
        webhook_id=webhook.id,
        event_id=uuid7(),
        type=EventType.PING,
        position=0,
        status=DeliveryStatus.WAITING,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    session.add(ping)
    await session.flush()
    await audit.record(
        session, actor, Action.WEBHOOK_PINGED, subject_of(webhook.id), now=now, after=str(ping.id)
    )
    return ping


async def deliveries(
    session: AsyncSession, webhook_id: UUID, query: DeliveryQuery
) -> Sequence[Delivery]:
    """Return a webhook's deliveries by id, the newest first."""
    statement = (
        select(Delivery)
        .where(Delivery.webhook_id == webhook_id)
        .order_by(Delivery.id.desc())
        .limit(query.limit)
    )
    if query.before is not None:
        statement = statement.where(Delivery.id < query.before)
    if query.status is not None:
        statement = statement.where(Delivery.status == query.status)
    return (await session.scalars(statement)).all()
