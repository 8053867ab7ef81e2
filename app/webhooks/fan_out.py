"""Makes deliveries of the events that a webhook has not been told of yet."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.events.store import settled_position
from app.webhooks.event_types import chosen
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.retry_policy import OVERLOADED
from app.webhooks.source_events import events_between

# Deliveries that may be open at a time. With so many waiting for an endpoint that is away
# the cursor stands still, so that nobody gets a flood when it is back.
MAX_OPEN = 50
# An event that was refused for itself comes again days later: it holds up no other before there
# are as many as this.
MAX_REFUSED = 500
# Positions looked at in one statement, for a filter that hardly anything passes.
STRIDE = 100_000
# Of these at a time: the webhook is locked meanwhile, and the next ring is two seconds away.
MAX_STRIDES = 10


async def fan_out(session: AsyncSession, webhook: Webhook, now: datetime) -> int:
    """Make deliveries of the next events, move the cursor past them; return how many were made.

    webhook: its row is locked by the caller. Committed before anything is sent: a crash
    loses no event, and a replay can move the cursor meanwhile.
    """
    made = 0
    reached = await settled_position(session)
    room = await _room(session, webhook)
    for _ in range(MAX_STRIDES):
        if made >= room or webhook.cursor >= reached:
            break
        upto = min(reached, webhook.cursor + STRIDE)
        made += await _plan_some(session, webhook, upto, room - made, now)
    return made


async def _room(session: AsyncSession, webhook: Webhook) -> int:
    """Return how many deliveries may be made; none if it is 0 or less."""
    refused = Delivery.status_code.is_not(None) & Delivery.status_code.not_in(OVERLOADED)
    counted = await session.execute(
        select(func.count(), func.count().filter(refused)).where(
            Delivery.webhook_id == webhook.id, Delivery.status == DeliveryStatus.WAITING
        )
    )
    waiting, of_themselves = counted.one()
    return min(MAX_OPEN - (waiting - of_themselves), MAX_REFUSED - of_themselves)


async def _plan_some(
    session: AsyncSession, webhook: Webhook, upto: int, room: int, now: datetime
) -> int:
    events = await events_between(
        session, chosen(webhook.types), after=webhook.cursor, upto=upto, limit=room
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
    webhook.cursor = events[-1].position if len(events) == room else upto
    return len(rows)
