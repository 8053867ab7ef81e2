"""Makes deliveries of the events after the cursor of a webhook."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.events.store import settled_position
from app.webhooks.event_types import chosen
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.retry_policy import OVERLOADED
from app.webhooks.source_events import events_between

# Deliveries that may wait at a time. At this limit the cursor stops, so that an endpoint that was
# unavailable does not get a flood of requests afterwards.
MAX_OPEN = 50
# Deliveries that the endpoint refused with a status about the event itself. They are retried for
# days and do not count as waiting, until there are so many.
MAX_REFUSED = 500
# Positions read by one statement, for a webhook whose types are rare.
STRIDE = 100_000
# Strides of one call. The webhook is locked meanwhile, and the next call is two seconds later.
MAX_STRIDES = 10


async def fan_out(session: AsyncSession, webhook: Webhook, now: datetime) -> int:
    """Make deliveries of the next events and move the cursor past them; return how many were made.

    webhook: the caller has locked its row. The caller commits before it sends anything, so that a
    crash loses no event and a replay can move the cursor meanwhile.
    """
    made = 0
    last_position = await settled_position(session)
    free = await _count_free(session, webhook)
    for _ in range(MAX_STRIDES):
        if made >= free or webhook.cursor >= last_position:
            break
        upto = min(last_position, webhook.cursor + STRIDE)
        made += await _fan_out_stride(session, webhook, upto, free - made, now)
    return made


async def _count_free(session: AsyncSession, webhook: Webhook) -> int:
    """Return how many deliveries may be made; 0 or less means none."""
    refused = Delivery.status_code.is_not(None) & Delivery.status_code.not_in(OVERLOADED)
    counted = await session.execute(
        select(func.count(), func.count().filter(refused)).where(
            Delivery.webhook_id == webhook.id, Delivery.status == DeliveryStatus.WAITING
        )
    )
    waiting, refused_events = counted.one()
    return min(MAX_OPEN - (waiting - refused_events), MAX_REFUSED - refused_events)


async def _fan_out_stride(
    session: AsyncSession, webhook: Webhook, upto: int, free: int, now: datetime
) -> int:
    events = await events_between(
        session, chosen(webhook.types), after=webhook.cursor, upto=upto, limit=free
    )
    rows = [
        {
            "id": uuid7(),
            "webhook_id": webhook.id,
            "event_id": event.id,
            "type": event.type,
            "position": event.position,
            "status": DeliveryStatus.WAITING,
            "attempts": 0,
            "next_at": now,
            "created_at": now,
        }
        for event in events
    ]
    if rows:
        await session.execute(insert(Delivery), rows)
    webhook.cursor = events[-1].position if len(events) == free else upto
    return len(rows)
