"""SQL that reads how far webhooks are, and how many events a replay would send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.store import settled_position
from app.webhooks.event_types import chosen
from app.webhooks.models import Delivery, DeliveryStatus, IdentityEvent, Webhook
from app.webhooks.source_events import SOURCES, count_between

MAX_COUNTED: Final = 10_000
# Where the types of a webhook are rare, so many positions are looked at.
MAX_POSITIONS: Final = 200_000
# Events arrive nearly in the order of their times: so many of each kind are looked at.
MAX_OUT_OF_ORDER: Final = 1_000


@dataclass(frozen=True, slots=True)
class WebhookProgress:
    """How far a webhook is.

    waiting: deliveries that wait, at most MAX_COUNTED. waiting_since: when the oldest of them was
    made. failed_at, status_code, error: of the last delivery that was given up. delivered_at: when
    the last one arrived.
    """

    waiting: int
    waiting_since: datetime | None
    failed_at: datetime | None
    status_code: int | None
    error: str | None
    delivered_at: datetime | None


async def progress(
    session: AsyncSession, webhook_ids: Sequence[UUID]
) -> Mapping[UUID, WebhookProgress]:
    """Return how far webhooks are, each by a few index probes."""
    bound = {"ids": list(webhook_ids), "counted": MAX_COUNTED}
    found = await session.execute(_PROGRESS, bound)
    return {row[0]: WebhookProgress(*row[1:]) for row in found}


@dataclass(frozen=True, slots=True)
class EventCount:
    """A number of events. may_be_more: only the first ones were counted."""

    number: int
    may_be_more: bool


async def count_pending(session: AsyncSession, webhook: Webhook) -> EventCount:
    """Count the events that have no delivery yet."""
    upto = await settled_position(session)
    return await _count(session, webhook, webhook.cursor, upto)


async def count_replayed(session: AsyncSession, webhook: Webhook, start: int) -> EventCount:
    """Count the events that a replay from a position sends again."""
    return await _count(session, webhook, start - 1, webhook.cursor)


async def _count(session: AsyncSession, webhook: Webhook, after: int, upto: int) -> EventCount:
    looked_at = min(upto, after + MAX_POSITIONS)
    found = await count_between(
        session, chosen(webhook.types), after=after, upto=looked_at, limit=MAX_COUNTED
    )
    return EventCount(found, found == MAX_COUNTED or looked_at < upto)


async def position_of_id(session: AsyncSession, webhook_id: UUID, wanted: UUID) -> int | None:
    """Return the position of an event, by its id or by that of a delivery of this webhook."""
    delivery = await session.get(Delivery, wanted)
    if delivery is not None and delivery.webhook_id == webhook_id and delivery.position > 0:
        return delivery.position
    for table in {table for table, _ in SOURCES.values()}:
        position: int | None = await session.scalar(
            select(table.position).where(table.id == wanted)
        )
        if position is not None:
            return position
    return None


async def position_of_time(
    session: AsyncSession, webhook: Webhook, appids: Sequence[str], since: datetime
) -> int | None:
    """Return the position of the first event since a time; None if there is none since."""
    found: list[int] = []
    for table, action in (SOURCES[kind] for kind in chosen(webhook.types)):
        first = (
            select(table.position)
            .where(table.occurred_at >= since, table.action == action)
            .order_by(table.occurred_at)
            .limit(MAX_OUT_OF_ORDER)
        )
        if table is IdentityEvent:
            found += (await session.scalars(first)).all()
            continue
        # The index of the other tables begins with the account.
        for appid in appids:
            found += (await session.scalars(first.where(table.appid == appid))).all()
    return min(found, default=None)


async def delivery_of(
    session: AsyncSession, webhook_id: UUID, delivery_id: UUID
) -> Delivery | None:
    """Return one delivery of a webhook; None if it does not exist."""
    found = await session.get(Delivery, delivery_id)
    return found if found is not None and found.webhook_id == webhook_id else None


# A ping is no event, so its position 0 is left out. The literal statuses let the planner use the
# indexes.
_PROGRESS: Final = text(f"""
SELECT webhook.id,
       (SELECT count(*) FROM (
            SELECT FROM webhook_deliveries
            WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.WAITING}' AND position > 0
            LIMIT :counted
        ) counted),
       (SELECT created_at FROM webhook_deliveries
        WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.WAITING}' AND position > 0
        ORDER BY position LIMIT 1),
       failed.finished_at, failed.status_code, failed.error, delivered.finished_at
FROM unnest(CAST(:ids AS uuid[])) AS webhook (id)
LEFT JOIN LATERAL (
    SELECT finished_at, status_code, error FROM webhook_deliveries
    WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.FAILED}'
    ORDER BY id DESC LIMIT 1
) failed ON true
LEFT JOIN LATERAL (
    SELECT finished_at FROM webhook_deliveries
    WHERE webhook_id = webhook.id AND status = '{DeliveryStatus.DELIVERED}'
    ORDER BY id DESC LIMIT 1
) delivered ON true
""")  # noqa: S608 - of constants
