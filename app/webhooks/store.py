"""SQL of `/api/webhooks`: adds, changes and deletes webhooks. The audit log has every change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit, audit_values
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.events.store import settled_position
from app.secret_box import SecretBox
from app.webhooks.models import Delivery, DeliveryStatus, Webhook
from app.webhooks.schemas import WebhookIn
from app.webhooks.signing import new_secret

# Each webhook is checked every two seconds, and sends every event once more.
MAX_WEBHOOKS = 100

# The secret is in plain text, for the receiver; the row may hold it encrypted.
WithSecret = tuple[Webhook, str]


async def all_webhooks(session: AsyncSession) -> Sequence[Webhook]:
    """Return every webhook, the oldest first."""
    return (await session.scalars(select(Webhook).order_by(Webhook.id))).all()


async def add(
    session: AsyncSession, actor: Actor, webhook_in: WebhookIn, box: SecretBox, now: datetime
) -> WithSecret | None:
    """Add a webhook for events from now on; None if there are MAX_WEBHOOKS already."""
    if (await session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MAX_WEBHOOKS:
        return None
    webhook_id, secret = uuid7(), new_secret()
    webhook = Webhook(
        id=webhook_id,
        url=webhook_in.url,
        description=webhook_in.description,
        types=_types_of(webhook_in),
        enabled=webhook_in.enabled,
        secret=box.encrypt(secret, webhook_id.bytes),
        cursor=await settled_position(session),
        created_at=now,
        updated_at=now,
    )
    session.add(webhook)
    await session.flush()
    after = audit_values.shown(_members(webhook))
    await audit.record(
        session, actor, Action.WEBHOOK_ADDED, subject_of(webhook_id), now=now, after=after
    )
    return webhook, secret


async def locked(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    """Return a webhook with its row locked. All code that changes a webhook locks it."""
    return await session.get(Webhook, webhook_id, with_for_update=True)


async def replace(
    session: AsyncSession, actor: Actor, webhook_id: UUID, webhook_in: WebhookIn, now: datetime
) -> Webhook | None:
    """Replace all fields of a webhook but its secret and cursor; None if it does not exist.

    If it is switched on again or gets another URL, its failures are reset: waiting deliveries are
    due at once and have all attempts again.
    """
    webhook = await locked(session, webhook_id)
    if webhook is None:
        return None
    restarted = webhook_in.enabled and (not webhook.enabled or webhook.url != webhook_in.url)
    members = _members(webhook)
    webhook.url = webhook_in.url
    webhook.description = webhook_in.description
    webhook.types = _types_of(webhook_in)
    webhook.enabled = webhook_in.enabled
    webhook.updated_at = now
    if restarted:
        await _reset_failures(session, webhook, now)
    before, after = audit_values.difference(members, _members(webhook))
    await audit.record(
        session,
        actor,
        Action.WEBHOOK_CHANGED,
        subject_of(webhook_id),
        now=now,
        before=before,
        after=after,
    )
    return webhook


async def _reset_failures(session: AsyncSession, webhook: Webhook, now: datetime) -> None:
    webhook.disabled_reason = None
    webhook.failing_since = None
    webhook.rests_until = None
    await session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.status == DeliveryStatus.WAITING)
        .values(next_at=now, attempts=0)
    )


def _types_of(webhook_in: WebhookIn) -> list[str]:
    return sorted({pattern.value for pattern in webhook_in.types})


async def remove(session: AsyncSession, actor: Actor, webhook_id: UUID, now: datetime) -> bool:
    """Delete a webhook; return whether it existed. Retention deletes its deliveries."""
    deleted = await session.scalar(
        delete(Webhook).where(Webhook.id == webhook_id).returning(Webhook)
    )
    if deleted is None:
        return False
    before = audit_values.shown(_members(deleted))
    await audit.record(
        session, actor, Action.WEBHOOK_DELETED, subject_of(webhook_id), now=now, before=before
    )
    return True


def _members(webhook: Webhook) -> audit_values.Members:
    """Return what the audit log shows of a webhook."""
    return {
        "url": audit_values.address(webhook.url),
        "description": webhook.description,
        "types": webhook.types,
        "enabled": webhook.enabled,
    }


def subject_of(webhook_id: UUID) -> Subject:
    """Return a webhook as the subject of an audit entry."""
    return Subject(SubjectKind.WEBHOOK, str(webhook_id))
