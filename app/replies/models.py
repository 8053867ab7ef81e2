"""Tables of the replies room: every answer and its fate, and who may be sent to until when."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Via(StrEnum):
    """How the answer travels."""

    PASSIVE = "passive"
    CUSTOMER_SERVICE = "customer_service"


class ReplyStatus(StrEnum):
    """Where an answer stands; the last four are final.

    held: WeChat or our ledger says the send window is closed; the follower's next action
    opens one and wakes the reply, `expires_at` ends the wait.
    """

    PENDING = "pending"
    SENDING = "sending"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"


OPEN_STATUSES = (ReplyStatus.PENDING, ReplyStatus.SENDING, ReplyStatus.HELD)


class Reply(Base):
    """One answer to one callback. content: the `outbound` reply as the rule gave it; {} once
    it is erased.

    No foreign key to callbacks: both are written by one transaction, and retention removes
    them at different times.
    """

    __tablename__ = "replies"
    __table_args__ = (
        Index(None, "callback_id", "position", postgresql_where=text("via = 'customer_service'")),
        Index(None, "appid", "openid", "id"),
        Index("ix_replies_held", "appid", "openid", postgresql_where=text("status = 'held'")),
        Index(
            "ix_replies_open",
            "expires_at",
            postgresql_where=text("status IN ('pending', 'sending', 'held')"),
        ),
        Index("ix_replies_full", "created_at", postgresql_where=text("content <> '{}'::jsonb")),
        Index("ix_replies_status", "status", "id", postgresql_where=text("status <> 'sent'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    callback_id: Mapped[UUID]
    position: Mapped[int]  # order in the rule; replies of one callback are sent in this order
    appid: Mapped[str]
    openid: Mapped[str]
    rule_id: Mapped[int | None]
    via: Mapped[Via]
    msgtype: Mapped[str]
    content: Mapped[dict[str, Any]]
    status: Mapped[ReplyStatus]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    errcode: Mapped[int | None]
    errmsg: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class WindowTrigger(StrEnum):
    """What the follower did that lets us send. Source: protocol 6.1."""

    MESSAGE = "message"
    MENU = "menu"
    FOLLOW = "follow"
    SCAN = "scan"


class SendWindow(Base):
    """How many customer-service messages one follower may still get, by trigger.

    One row per trigger, not per follower: whether an OA's windows add up or refresh is
    unverified, and the row that expires first is charged first (protocol 6.1).
    """

    __tablename__ = "send_windows"

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    trigger: Mapped[WindowTrigger] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]  # CreateTime of what opened it: the platform's clock
    expires_at: Mapped[datetime]
    sends_left: Mapped[int]
