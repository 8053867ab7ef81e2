"""SQL of a run: whose turn it is, what is to be sent next, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.webhooks.event_types import EventType
from app.webhooks.fan_out import fan_out
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.payload import body_of
from app.webhooks.retry_policy import DeliveryOutcome, EndpointResponse
from app.webhooks.secret_encryption import SecretBox

# Longer than any attempt: a worker that dies leaves its webhook to others after this.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt to be made.

    attempts: so far, this one included. keys: signing secrets, the current one first.
    """

    delivery_id: UUID
    webhook_id: UUID
    event_id: UUID
    type: EventType
    attempts: int
    url: str
    keys: tuple[str, ...]
    failing_since: datetime | None
    body: bytes


async def next_parcel(
    session: AsyncSession, webhook: Webhook, box: SecretBox, now: datetime
) -> DeliveryAttempt | None:
    """Return what to send next, the oldest event first; None when there is nothing.

    webhook: taken in this transaction. Raises NotOpened when its secret can't be used.
    """
    while True:
        delivery = await _due(session, webhook, now)
        if delivery is None:
            if _is_quiet(webhook, now) or not await fan_out(session, webhook, now):
                return None
            continue
        body = await body_of(session, delivery)
        if body is not None:
            return _parcel(webhook, delivery, body, keys_of(webhook, box, now))
        _finish(delivery, DeliveryStatus.SKIPPED, now)


async def claim(
    session: AsyncSession, webhook_id: UUID, run: UUID, now: datetime
) -> Webhook | None:
    """Return the webhook with its row locked; None when it is another run's turn, or gone.

    First in a transaction: everyone locks a webhook before its deliveries.
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
    if webhook is not None and not _is_lately_leased(webhook, run, now):
        webhook.lease = run
        webhook.leased_until = now + LEASE
    return webhook


def _is_lately_leased(webhook: Webhook, run: UUID, now: datetime) -> bool:
    """Renewing it with every attempt would write the row each time."""
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
    if _is_quiet(webhook, now):
        statement = statement.where(Delivery.type == EventType.PING)
    return await session.scalar(statement)


def _is_quiet(webhook: Webhook, now: datetime) -> bool:
    """Tell whether only pings may be sent: an operator wants to know how it stands now."""
    return not webhook.enabled or (webhook.rests_until is not None and webhook.rests_until > now)


def _parcel(
    webhook: Webhook, delivery: Delivery, body: bytes, keys: tuple[str, ...]
) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery.id,
        webhook.id,
        delivery.event_id,
        delivery.type,
        delivery.attempts + 1,
        webhook.url,
        keys,
        webhook.failing_since,
        body,
    )


def keys_of(webhook: Webhook, box: SecretBox, now: datetime) -> tuple[str, ...]:
    """Return the secrets to sign with: both while a rotation lasts. Raises NotOpened."""
    stored = [webhook.secret]
    until = webhook.secret_previous_until
    if webhook.secret_previous is not None and until is not None and until > now:
        stored.append(webhook.secret_previous)
    return tuple(box.decrypt(one, webhook.id) for one in stored)


async def record_attempts(
    session: AsyncSession,
    webhook: Webhook | None,
    parcel: DeliveryAttempt,
    answer: EndpointResponse,
    outcome: DeliveryOutcome,
    now: datetime,
) -> None:
    """Record an attempt. A ping tells nothing of the webhook's state.

    webhook: as `claim` returned it; it is another run's to judge if that was None.
    """
    if webhook is not None and parcel.type is not EventType.PING:
        _mark(webhook, outcome, now)
    delivery = await session.get(Delivery, parcel.delivery_id, with_for_update=True)
    if delivery is None or delivery.status is not DeliveryStatus.WAITING:
        return
    delivery.attempts = parcel.attempts
    delivery.status_code = answer.status_code
    delivery.error = answer.error
    delivery.next_at = outcome.next_at
    if outcome.status is not DeliveryStatus.WAITING:
        _finish(delivery, outcome.status, now)


def _mark(webhook: Webhook, outcome: DeliveryOutcome, now: datetime) -> None:
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
    """Give the turn back, if it is still this run's."""
    await session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.lease == run)
        .values(lease=None, leased_until=None)
    )
