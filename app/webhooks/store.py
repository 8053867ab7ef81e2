"""SQL of webhooks as operators keep them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.events.store import settled_position
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.schemas import WebhookIn
from app.webhooks.secret_encryption import SecretBox
from app.webhooks.signing import new_secret

# Each is looked at every few seconds, and sends every event once more.
MAX_WEBHOOKS = 100

# The secret as its receiver is to have it, which is not how it is stored.
WithSecret = tuple[Webhook, str]


async def all_webhooks(session: AsyncSession) -> Sequence[Webhook]:
    """Return every webhook, the oldest first."""
    return (await session.scalars(select(Webhook).order_by(Webhook.id))).all()


async def add(
    session: AsyncSession, wanted: WebhookIn, box: SecretBox, now: datetime
) -> WithSecret | None:
    """Add a webhook that hears of what happens from now on; None when there are too many."""
    if (await session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MAX_WEBHOOKS:
        return None
    webhook_id, secret = uuid7(), new_secret()
    webhook = Webhook(
        id=webhook_id,
        url=wanted.url,
        description=wanted.description,
        types=_named(wanted),
        enabled=wanted.enabled,
        secret=box.encrypt(secret, webhook_id),
        cursor=await settled_position(session),
        created_at=now,
        updated_at=now,
    )
    session.add(webhook)
    await session.flush()
    return webhook, secret


async def locked(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    """Return a webhook with its row locked, as everyone does who changes it."""
    return await session.get(Webhook, webhook_id, with_for_update=True)


async def replace(
    session: AsyncSession, webhook_id: UUID, wanted: WebhookIn, now: datetime
) -> Webhook | None:
    """Change a webhook as a whole; its secret and cursor stay.

    Switched on anew, or at another URL, it starts afresh: what waits is due at once, with all
    attempts before it.
    """
    webhook = await locked(session, webhook_id)
    if webhook is None:
        return None
    afresh = wanted.enabled and (not webhook.enabled or webhook.url != wanted.url)
    webhook.url = wanted.url
    webhook.description = wanted.description
    webhook.types = _named(wanted)
    webhook.enabled = wanted.enabled
    webhook.updated_at = now
    if afresh:
        await _start_afresh(session, webhook, now)
    return webhook


async def _start_afresh(session: AsyncSession, webhook: Webhook, now: datetime) -> None:
    webhook.disabled_reason = None
    webhook.failing_since = None
    webhook.rests_until = None
    await session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.status == DeliveryStatus.WAITING)
        .values(next_at=now, attempts=0)
    )


def _named(wanted: WebhookIn) -> list[str]:
    return sorted({pattern.value for pattern in wanted.types})


async def remove(session: AsyncSession, webhook_id: UUID) -> bool:
    """Delete a webhook; its deliveries are not sent any more and go with the old ones."""
    gone = await session.scalar(
        delete(Webhook).where(Webhook.id == webhook_id).returning(Webhook.id)
    )
    return gone is not None


async def rotate(
    session: AsyncSession, webhook_id: UUID, overlap: timedelta, box: SecretBox, now: datetime
) -> WithSecret | None:
    """Give a webhook a new secret; the present one signs as well for `overlap`."""
    webhook = await locked(session, webhook_id)
    if webhook is None:
        return None
    webhook.secret_previous = webhook.secret if overlap else None
    webhook.secret_previous_until = now + overlap if overlap else None
    secret = new_secret()
    webhook.secret = box.encrypt(secret, webhook_id)
    webhook.updated_at = now
    return webhook, secret
