"""Deletes old deliveries."""

from datetime import timedelta

from sqlalchemy import delete, exists, or_, select

from app.clock import Clock
from app.db.engine import SessionFactory
from app.first_id import first_id
from app.webhooks.models import Delivery, DeliveryStatus, Webhook

KEPT_FOR = timedelta(days=30)
MAX_AT_ONCE = 5_000


async def prune(sessions: SessionFactory, clock: Clock) -> None:
    """Delete up to MAX_AT_ONCE old deliveries that are final or have no webhook."""
    earlier = clock.now() - KEPT_FOR
    old = (
        select(Delivery.id)
        .where(
            Delivery.id < first_id(earlier),
            or_(
                Delivery.status != DeliveryStatus.WAITING,
                ~exists().where(Webhook.id == Delivery.webhook_id),
            ),
        )
        .order_by(Delivery.id)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True, of=Delivery)
        .cte("old")  # runs once; a subquery may run again and skip the rows it has locked
    )
    async with sessions.begin() as session:
        await session.execute(
            delete(Delivery)
            .where(Delivery.id.in_(select(old.c.id)))
            .execution_options(synchronize_session=False)
        )
