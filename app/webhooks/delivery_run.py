"""SQL of a delivery run: claims a webhook, finds the next delivery, records the result."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.secret_box import DecryptionFailed, SecretBox
from app.webhooks.event_types import EventType
from app.webhooks.fan_out import fan_out
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.payload import Payload, body_of
from app.webhooks.retry_policy import DeliveryOutcome, EndpointResponse

# Longer than any attempt. When a worker dies, others take over its webhook after this time.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """The next attempt to send one delivery.

    callback_id: of the push that the event came with, if any. attempts: so far,
    including this one. keys: signing secrets, the current one first.
    """

    delivery_id: UUID
    webhook_id: UUID
    event_id: UUID
    callback_id: UUID | None
    type: EventType
    attempts: int
    url: str
    keys: tuple[str, ...]
    failing_since: datetime | None
    body: bytes


async def next_attempt(
    session: AsyncSession, webhook: Webhook, box: SecretBox, now: datetime
) -> DeliveryAttempt | None:
    """Return the next attempt, the oldest event first; None if nothing is due.

    webhook: claimed in this transaction. Raises DecryptionFailed if its secret can't be decrypted.
    """
    while True:
        delivery = await _due(session, webhook, now)
        if delivery is None:
            if _sends_only_pings(webhook, now) or not await fan_out(session, webhook, now):
                return None
            continue
        found = await body_of(session, delivery)
        if found is not None:
            return _attempt(webhook, delivery, found, keys_of(webhook, box, now))
        _finish(delivery, DeliveryStatus.SKIPPED, now)


async def claim(
    session: AsyncSession, webhook_id: UUID, run: UUID, now: datetime
) -> Webhook | None:
    """Return the webhook with its row locked; None if another run has it or it was deleted.

    Call it first in a transaction, since all code locks a webhook before its deliveries.
    """
    webhook = await session.scalar(
        select(Webhook)
        .where(
            Webhook.id == webhook_id,
            or_(
                Webhook.lease == run,
                Webhook.leased_until.is_(None),
                Webhook.leased_until <= now,
            ),
        )
        .with_for_update()
    )
    if webhook is not None and not _lease_is_recent(webhook, run, now):
        webhook.lease = run
        webhook.leased_until = now + LEASE
    return webhook


def _lease_is_recent(webhook: Webhook, run: UUID, now: datetime) -> bool:
    # To renew the lease with every attempt would write the row each time.
    until = webhook.leased_until
    return webhook.lease == run and until is not None and until - now > LEASE / 2


async def _due(session: AsyncSession, webhook: Webhook, now: datetime) -> Delivery | None:
    statement = (
        select(Delivery)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.status == DeliveryStatus.WAITING,
            Delivery.next_at <= now,
        )
        .order_by(Delivery.position, Delivery.id)
        .limit(1)
    )
    if _sends_only_pings(webhook, now):
        statement = statement.where(Delivery.type == EventType.PING)
    return await session.scalar(statement)


def _sends_only_pings(webhook: Webhook, now: datetime) -> bool:
    """Return whether only pings may be sent now, since a test must work at any time."""
    return not webhook.enabled or (webhook.rests_until is not None and webhook.rests_until > now)


def _attempt(
    webhook: Webhook, delivery: Delivery, found: Payload, keys: tuple[str, ...]
) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery.id,
        webhook.id,
        delivery.event_id,
        found.callback_id,
        delivery.type,
        delivery.attempts + 1,
        webhook.url,
        keys,
        webhook.failing_since,
        found.body,
    )


def keys_of(webhook: Webhook, box: SecretBox, now: datetime) -> tuple[str, ...]:
    """Return the secrets to sign with, two during a rotation.

    A secret that can't be decrypted is left out, since a receiver needs only one signature that it
    knows. Raises DecryptionFailed if none can be decrypted.
    """
    stored = [webhook.secret]
    until = webhook.secret_previous_until
    if webhook.secret_previous is not None and until is not None and until > now:
        stored.append(webhook.secret_previous)
    keys = tuple(key for one in stored if (key := _decrypted(one, webhook, box)) is not None)
    if not keys:
        raise DecryptionFailed
    return keys


def _decrypted(stored: str, webhook: Webhook, box: SecretBox) -> str | None:
    try:
        return box.decrypt(stored, webhook.id.bytes)
    except DecryptionFailed:
        return None


async def record_attempt(
    session: AsyncSession,
    webhook: Webhook | None,
    attempt: DeliveryAttempt,
    response: EndpointResponse,
    outcome: DeliveryOutcome,
    now: datetime,
) -> None:
    """Record the result of an attempt. A ping does not change the state of the webhook.

    webhook: from `claim`; None if another run has it now, which then records its own results.
    """
    if webhook is not None and attempt.type is not EventType.PING:
        _update_webhook(webhook, outcome, now)
    delivery = await session.get(Delivery, attempt.delivery_id, with_for_update=True)
    if delivery is None or delivery.status is not DeliveryStatus.WAITING:
        return
    delivery.attempts = attempt.attempts
    delivery.status_code = response.status_code
    delivery.error = response.error
    delivery.next_at = outcome.next_at
    if outcome.status is not DeliveryStatus.WAITING:
        _finish(delivery, outcome.status, now)


def _update_webhook(webhook: Webhook, outcome: DeliveryOutcome, now: datetime) -> None:
    if outcome.status is DeliveryStatus.DELIVERED:
        webhook.failing_since = None
        webhook.rests_until = None
        return
    webhook.failing_since = webhook.failing_since or now
    webhook.rests_until = outcome.rests_until
    if outcome.disabled is not None:
        webhook.enabled = False
        webhook.disabled_reason = outcome.disabled


def _finish(delivery: Delivery, status: DeliveryStatus, now: datetime) -> None:
    delivery.status = status
    delivery.next_at = None
    delivery.finished_at = now


async def release(session: AsyncSession, webhook_id: UUID, run: UUID) -> None:
    """Release the webhook if this run still has it."""
    await session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.lease == run)
        .values(lease=None, leased_until=None)
    )
