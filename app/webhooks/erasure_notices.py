"""Notifies webhooks of an erasure, and counts those that have not been notified yet."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import delete, exists, literal, select, text, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowAction, FollowEvent
from app.webhooks.event_types import EventType, chosen
from app.webhooks.models import Delivery, DeliveryStatus, IdentityAction, IdentityEvent, Webhook
from app.wechat.ids import AccountOpenId


async def publish_erasure(session: AsyncSession, appid: str, openid: str) -> None:
    """Add the event `identity.erased` of an OpenID, once.

    Nothing is added if the OpenID is unknown or no enabled webhook wants the event.
    """
    await session.execute(_PUBLISH, {"appid": appid, "openid": openid})


async def delete_notices(session: AsyncSession, people: Collection[AccountOpenId]) -> None:
    """Delete the `identity.erased` events of these people, once their erasure is done."""
    await session.execute(
        delete(IdentityEvent).where(
            tuple_(IdentityEvent.appid, IdentityEvent.openid).in_(people),
            IdentityEvent.action == IdentityAction.ERASED,
        )
    )


async def count_pending_webhooks(
    session: AsyncSession, people: Collection[AccountOpenId], left: UUID
) -> int:
    """Return how many enabled webhooks have not been notified of the erasure yet.

    left: id of the unfollow event, if an unfollow was the reason of the erasure.
    """
    events = await _events(session, people, left)
    if not events:
        return 0
    webhooks = (await session.scalars(select(Webhook).where(Webhook.enabled))).all()
    return sum([await _is_pending(session, webhook, events) for webhook in webhooks])


async def _events(
    session: AsyncSession, people: Collection[AccountOpenId], left: UUID
) -> list[tuple[UUID, int, str]]:
    erased = select(
        IdentityEvent.id, IdentityEvent.position, literal(EventType.IDENTITY_ERASED.value)
    ).where(
        tuple_(IdentityEvent.appid, IdentityEvent.openid).in_(people),
        IdentityEvent.action == IdentityAction.ERASED,
    )
    unfollow = select(
        FollowEvent.id, FollowEvent.position, literal(EventType.FOLLOW_DELETED.value)
    ).where(FollowEvent.id == left, FollowEvent.action == FollowAction.UNFOLLOW)
    found = await session.execute(union_all(erased, unfollow))
    return [(event_id, position, kind) for event_id, position, kind in found]


async def _is_pending(
    session: AsyncSession, webhook: Webhook, events: Iterable[tuple[UUID, int, str]]
) -> bool:
    kinds = chosen(webhook.types)
    relevant = [(event_id, position) for event_id, position, kind in events if kind in kinds]
    if any(position > webhook.cursor for _, position in relevant):
        return True
    waiting = exists().where(
        Delivery.webhook_id == webhook.id,
        Delivery.status == DeliveryStatus.WAITING,
        Delivery.event_id.in_([event_id for event_id, _ in relevant]),
    )
    return bool(relevant and await session.scalar(select(waiting)))


_PUBLISH = text(
    """
    INSERT INTO identity_events (appid, openid, action)
    SELECT appid, openid, 'erased' FROM openids
    WHERE appid = :appid AND openid = :openid
      AND EXISTS (
          SELECT FROM webhooks
          WHERE enabled AND types && ARRAY['*', 'identity.*', 'identity.erased']
      )
      AND NOT EXISTS (
          SELECT FROM identity_events
          WHERE appid = :appid AND openid = :openid AND action = 'erased'
      )
    """
)
