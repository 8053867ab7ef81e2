"""Tables of the feed: who is told what, and what became of each telling."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.events.models import FollowEvent, SubscriptionEvent
from app.webhooks.event_types import EventType

# The feed reads all accounts' events in the order of their arrival.
Index("ix_follow_events_position", FollowEvent.position)
Index("ix_subscription_events_position", SubscriptionEvent.position)


class Webhook(Base):
    """An endpoint of another system, and how far it has been told.

    cursor: position of the last event that deliveries were made for. types: patterns of event
    types. failing_since: first failure after the last success. rests_until: nothing is sent
    before, the endpoint is overloaded or away. leased_until, lease: the run that delivers now.
    The secrets sign what is sent, so they are kept, sealed by `sealing.Vault`; nothing shows them
    again.
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
    """Where a delivery stands; all but the first are final.

    skipped: its event was erased before it could be told. replaced: a replay makes a new one.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    REPLACED = "replaced"


class Delivery(Base):
    """One event for one webhook. It holds ids only; the payload is built when it is sent.

    position: of the event; 0 for a ping, which overtakes events. next_at: the next attempt.
    status_code, error: of the last attempt.
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
    """What became of an OpenID's UnionID; erased: the OpenID and all with it is to go."""

    RESOLVED = "resolved"
    CHANGED = "changed"
    ERASED = "erased"


class IdentityEvent(Base):
    """An OpenID got a UnionID, or another one, or is erased.

    The triggers `oa_bridge_identity_inserted` and `oa_bridge_identity_updated` of `openids` add the
    rows of the first two, `erasure_notices.publish_erasure` those of the last.

    The UnionID itself stays in `openids`, where erasure finds it.
    """

    __tablename__ = "identity_events"
    __table_args__ = (Index(None, "position"), Index(None, "appid", "openid"))

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    appid: Mapped[str]
    openid: Mapped[str]
    action: Mapped[IdentityAction]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    position: Mapped[int] = mapped_column(server_default=text("oa_bridge_next_position()"))
