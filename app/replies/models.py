"""Tables of replies and of send windows."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Via(StrEnum):
    """How a reply is sent."""

    PASSIVE = "passive"
    CUSTOMER_SERVICE = "customer_service"


class ReplyStatus(StrEnum):
    """The state of a reply; the last four are final.

    failed: it did not arrive, or nobody knows: then errmsg begins with "outcome unknown". expired:
    its send window ended before it was sent; errmsg says when, and why it was not sent before.

    held: the send window is closed, by WeChat's word or by `send_windows`. The reply becomes
    pending when the follower's next action opens a window, and expires at `expires_at`.
    """

    PENDING = "pending"
    SENDING = "sending"
    HELD = "held"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"


class WindowTrigger(StrEnum):
    """The action of a follower that opens a send window. Source: protocol 6.1."""

    MESSAGE = "message"
    MENU = "menu"
    FOLLOW = "follow"
    SCAN = "scan"


OPEN_STATUSES = (ReplyStatus.PENDING, ReplyStatus.SENDING, ReplyStatus.HELD)


class Reply(Base):
    """One reply to one callback. content: the `outbound` message; {} once it is erased.

    reserved_trigger, reserved_at: the window from which a send is taken for it, and since when;
    NULL until it is being sent, and once the send was given back. uncertain_attempts: how many may
    have arrived while nobody knows; once it is sent, it may have arrived more than once.
    """

    # There is no foreign key to callbacks: one transaction writes both, and retention deletes them
    # at different times.

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
        Index(
            "ix_replies_cards",
            "sent_at",
            postgresql_where=text("status = 'sent' AND msgtype = 'miniprogrampage'"),
            postgresql_concurrently=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    callback_id: Mapped[UUID]
    position: Mapped[int]  # in the rule; replies of one callback are sent in this order
    appid: Mapped[str]
    openid: Mapped[str]
    rule_id: Mapped[int | None]
    via: Mapped[Via]
    msgtype: Mapped[str]
    content: Mapped[dict[str, Any]]
    status: Mapped[ReplyStatus]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    uncertain_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    errcode: Mapped[int | None]
    errmsg: Mapped[str | None]
    rid: Mapped[str | None]  # of the request in WeChat's own log, with errcode
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reserved_trigger: Mapped[WindowTrigger | None]
    reserved_at: Mapped[datetime | None]


class ReplyAttempt(Base):
    """One attempt to send a queued reply. number: from 1.

    worker: host and process. ended_at: NULL while it goes on, and for good if its worker died
    then: nobody knows whether the message arrived. status: of the reply after it.
    """

    # There is no foreign key: it would lock the reply's row once more for each attempt.

    __tablename__ = "reply_attempts"

    reply_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    worker: Mapped[str]
    ended_at: Mapped[datetime | None]
    status: Mapped[ReplyStatus | None]
    errcode: Mapped[int | None]
    errmsg: Mapped[str | None]
    rid: Mapped[str | None]


class SendWindow(Base):
    """How many customer-service messages one follower may still get, by trigger."""

    # One row for each trigger: it is unverified whether windows of an OA add up or replace each
    # other. A send is charged to the window that expires first (protocol 6.1).

    __tablename__ = "send_windows"
    # Every push changes its sender's row: the page has room for that, and no index is touched.
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    trigger: Mapped[WindowTrigger] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]  # CreateTime of the push that opened it, by WeChat's clock
    expires_at: Mapped[datetime]
    sends_left: Mapped[int]  # neither sent nor reserved
    closed_at: Mapped[datetime | None]  # when the attempt was made that WeChat found it closed at


class ReplyRetry(Base):
    """Many replies that an operator sends again at once. ended_at: all of them were looked at."""

    __tablename__ = "reply_retries"
    __table_args__ = (
        Index(None, "created_at"),
        Index("ix_reply_retries_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # drawn by the page that asks for it
    operator: Mapped[str]
    total: Mapped[int]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RetryResult(StrEnum):
    """What a retry did with one reply.

    queued: it is sent again. refused: it could not be, since it was sent meanwhile, waits to be
    sent, or its send window has ended.
    """

    QUEUED = "queued"
    REFUSED = "refused"


class ReplyRetryItem(Base):
    """One reply of a retry. result: NULL until the job has come to it; then it is left alone."""

    __tablename__ = "reply_retry_items"

    retry_id: Mapped[UUID] = mapped_column(
        ForeignKey("reply_retries.id", ondelete="CASCADE"), primary_key=True
    )
    reply_id: Mapped[UUID] = mapped_column(primary_key=True)
    result: Mapped[RetryResult | None]
