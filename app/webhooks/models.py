"""Tables of webhooks, their deliveries, and identity events."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.events.models import FollowEvent, SubscriptionEvent
from app.webhooks.event_types import EventType

# Webhooks read the events of all accounts in the order of arrival.
Index("ix_follow_events_position", FollowEvent.position)
Index("ix_subscription_events_position", SubscriptionEvent.position)


class Webhook(Base):
    """An endpoint of another system, and up to which event it has deliveries.

    cursor: position of the last event for which a delivery was made. types: patterns of event
    types. failing_since: first failure after the last success. rests_until: nothing is sent
    before then, because the endpoint is overloaded or unavailable. leased_until, lease: the run
    that delivers now. secret, secret_previous: sign the deliveries; they are stored as
    `secret_box.SecretBox` returns them, and no API shows them again.
    """

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    description: Mapped[str]
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    secret: Mapped[str]
    secret_previous: Mapped[str | None]
    secret_previous_until: Mapped[datetime | None]
    cursor: Mapped[int]
    failing_since: Mapped[datetime | None]
    rests_until: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DeliveryStatus(StrEnum):
    """The state of a delivery; all but the first are final.

    skipped: its event was erased before it was sent. replaced: a replay makes a new delivery.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    REPLACED = "replaced"


class Delivery(Base):
    """One event for one webhook. It holds ids only; the body is built when it is sent.

    position: of the event; 0 for a ping, so that it comes before events. next_at: time of the next
    attempt. status_code, error: of the last attempt.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "webhook_id", "id"),
        Index(None, "webhook_id", "status", "id"),
        Index(
            "ix_webhook_deliveries_waiting",
            "webhook_id",
            "position",
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    webhook_id: Mapped[UUID]
    event_id: Mapped[UUID]
    type: Mapped[EventType]
    position: Mapped[int]
    status: Mapped[DeliveryStatus]
    attempts: Mapped[int]
    next_at: Mapped[datetime | None]
    status_code: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class IdentityAction(StrEnum):
    """What happened to the UnionID of an OpenID. erased: the OpenID is being erased."""

    RESOLVED = "resolved"
    CHANGED = "changed"
    ERASED = "erased"


class IdentityEvent(Base):
    """An OpenID got a UnionID, got another one, or is being erased.

    The triggers `oa_bridge_identity_inserted` and `oa_bridge_identity_updated` of `openids` write
    the rows of the first two actions, and `erasure_notices.publish_erasure` those of the last. The
    UnionID itself is only in `openids`, where an erasure finds it.
    """

    __tablename__ = "identity_events"
    __table_args__ = (
        Index(None, "position"),
        Index(None, "appid", "openid"),
        Index(None, "occurred_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    appid: Mapped[str]
    openid: Mapped[str]
    action: Mapped[IdentityAction]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    position: Mapped[int] = mapped_column(server_default=text("oa_bridge_next_position()"))
