"""Builds the body of a delivery when it is sent, from the rows as they are then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.events.models import FollowEvent, SubscriptionEvent
from app.identity.models import OpenIdRow
from app.tombstones.subject import is_erased
from app.webhooks.event_types import EventType
from app.webhooks.models import Delivery, IdentityAction, IdentityEvent
from app.webhooks.source_events import SOURCES


@dataclass(frozen=True, slots=True)
class Payload:
    """The JSON of a delivery, and the push that its event came with, if any."""

    body: bytes
    callback_id: UUID | None = None


async def body_of(session: AsyncSession, delivery: Delivery) -> Payload | None:
    """Return the JSON of a delivery; None if its event has been erased."""
    if delivery.type is EventType.PING:
        data = {"webhook_id": str(delivery.webhook_id)}
        return Payload(_body(delivery, data, delivery.created_at))
    table, _ = SOURCES[delivery.type]
    if table is FollowEvent:
        return await _follow(session, delivery)
    if table is SubscriptionEvent:
        return await _subscription(session, delivery)
    return await _identity(session, delivery)


async def _follow(session: AsyncSession, delivery: Delivery) -> Payload | None:
    event = await session.get(FollowEvent, delivery.event_id)
    if event is None or is_erased(event.openid):
        return None
    data = {**_ids(event), "scene": event.scene, "source": event.source}
    return Payload(_body(delivery, data, event.occurred_at), event.callback_id)


async def _subscription(session: AsyncSession, delivery: Delivery) -> Payload | None:
    event = await session.get(SubscriptionEvent, delivery.event_id)
    if event is None or is_erased(event.openid):
        return None
    data = {
        **_ids(event),
        "template_id": event.template_id,
        "status": event.status,
        "popup_scene": event.popup_scene,
        "msgid": event.msgid,
        "error_code": event.error_code,
    }
    return Payload(_body(delivery, data, event.occurred_at), event.callback_id)


async def _identity(session: AsyncSession, delivery: Delivery) -> Payload | None:
    found = await session.execute(
        select(IdentityEvent, OpenIdRow.unionid)
        .join(
            OpenIdRow,
            (OpenIdRow.appid == IdentityEvent.appid) & (OpenIdRow.openid == IdentityEvent.openid),
        )
        .where(IdentityEvent.id == delivery.event_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    event, unionid = row
    if unionid is None and event.action is not IdentityAction.ERASED:
        return None
    data = {"id": str(event.id), "appid": event.appid, "openid": event.openid, "unionid": unionid}
    return Payload(_body(delivery, data, event.occurred_at))


def _ids(event: FollowEvent | SubscriptionEvent) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "appid": event.appid,
        "openid": event.openid,
        "unionid": event.unionid,
    }


def _body(delivery: Delivery, data: dict[str, Any], at: datetime) -> bytes:
    # A replay from `cursor` sends this event and all later ones again.
    return orjson.dumps(
        {"type": delivery.type, "timestamp": at, "cursor": delivery.position, "data": data},
        option=orjson.OPT_UTC_Z,
    )
