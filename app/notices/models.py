"""Tables of templates, of the consents that notices use, of sends, and of their notices."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class NoticeKind(StrEnum):
    """What is sent: a subscription notice, which needs a consent, or a template message."""

    SUBSCRIPTION = "subscription"
    TEMPLATE = "template"


class NoticeStatus(StrEnum):
    """The state of a notice; all but the first two are final or wait for WeChat's report alone.

    sent: WeChat has taken it. delivered, undelivered: what the report of its delivery says.
    failed: WeChat refused it. skipped: it was not sent, since the person has no consent, gets no
    code, has been erased, or the send was stopped. unknown: no answer came, so that it may have
    arrived; it is not sent again, and the report of its delivery settles it.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class SendSource(StrEnum):
    """Who chose the people of a send: a request named each, or an audience was described."""

    REQUEST = "request"
    AUDIENCE = "audience"


class SendState(StrEnum):
    """The state of a send. paused: by an operator, or since WeChat would refuse every notice."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class NoticeTemplate(Base):
    """A template of an account, as WeChat listed it last.

    is_long_term: a consent allows any number of sends. keys: as `TemplateKey.as_json` has them.
    gone_at: when it was not listed any more.
    """

    __tablename__ = "notice_templates"

    appid: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[NoticeKind]
    title: Mapped[str]
    content: Mapped[str]
    example: Mapped[str]
    is_long_term: Mapped[bool]
    keys: Mapped[list[dict[str, Any]]]
    listed_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]


class NoticeConsent(Base):
    """How many of a person's one-time consents to a template are not to be had, beside `consents`.

    reserved: taken by notices that are being sent, that WeChat has taken without a report so far,
    or whose outcome is unknown. written_off: WeChat says that they are used up (43101).
    """

    __tablename__ = "notice_consents"

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str] = mapped_column(primary_key=True)
    reserved: Mapped[int] = mapped_column(server_default=text("0"))
    written_off: Mapped[int] = mapped_column(server_default=text("0"))


class NoticeSend(Base):
    """Notices of one template that were asked for together.

    content: what all its notices share. audience: whom it goes to; NULL if a request named each
    person. rate: notices a second. total: how many are queued. max_total: no more are queued.
    idempotency_key, digest: of the request, for seven days. queued_at: when all notices stood in
    their table; cursor: the OpenID up to which they do. wait_until: when to go on. spent_at: when
    the rate was used last.
    campaign_id: whose codes its people get; codes_asked: how many it needed when it was started.
    quota_room: how many notices an audience may still get today, as WeChat said at
    quota_checked_at; NULL if it did not. errcode, errmsg, rid: why it is paused, if not by an
    operator.
    """

    __tablename__ = "notice_sends"
    __table_args__ = (
        Index(
            "uq_notice_sends_key",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_notice_sends_open", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_notice_sends_source", "source", "id"),
        Index(
            "ix_notice_sends_full", "created_at", postgresql_where=text("content <> '{}'::jsonb")
        ),
        Index(
            "ix_notice_sends_keyed",
            "created_at",
            postgresql_where=text("idempotency_key IS NOT NULL"),
            postgresql_concurrently=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    source: Mapped[SendSource]
    kind: Mapped[NoticeKind]
    appid: Mapped[str]
    template_id: Mapped[str]
    is_one_time: Mapped[bool]
    name: Mapped[str]
    content: Mapped[dict[str, Any]]
    audience: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    state: Mapped[SendState]
    rate: Mapped[int]
    campaign_id: Mapped[UUID | None]
    codes_asked: Mapped[int] = mapped_column(server_default=text("0"))
    total: Mapped[int]
    max_total: Mapped[int]
    idempotency_key: Mapped[str | None]
    digest: Mapped[bytes | None] = mapped_column(BYTEA())
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    cursor: Mapped[str | None]
    queued_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    wait_until: Mapped[datetime | None]
    spent_at: Mapped[datetime | None]
    quota_checked_at: Mapped[datetime | None]
    quota_room: Mapped[int | None]
    errcode: Mapped[int | None]
    errmsg: Mapped[str | None]
    rid: Mapped[str | None]


class Notice(Base):
    """One notice to one person.

    content: what differs from the content of its send; NULL if nothing does, or once it is erased.
    holds_consent: whether a consent is reserved for it. next_at: not sent before. first_at,
    tried_at: of the first and the last attempt. msgid: WeChat's id of it. result, result_at: what
    the report of its delivery said.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_due", "send_id", "next_at", postgresql_where=text("status = 'pending'")),
        Index("ix_notices_sending", "tried_at", postgresql_where=text("status = 'sending'")),
        Index("ix_notices_send", "send_id", "status", "id"),
        Index("ix_notices_person", "appid", "openid", "id"),
        Index("ix_notices_day", "appid", "created_at"),
        Index("ix_notices_msgid", "appid", "msgid", postgresql_where=text("msgid IS NOT NULL")),
        Index("ix_notices_full", "created_at", postgresql_where=text("content IS NOT NULL")),
        # How a ref ends; see `app.refs`. Nobody has the ref of a notice that was never tried, and
        # its place in this index would be the dearest part of queueing it.
        Index(
            "ix_notices_tried_ref",
            text("right(CAST(id AS text), 16)"),
            postgresql_where=text("first_at IS NOT NULL"),
            postgresql_concurrently=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    send_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str]
    template_id: Mapped[str]
    kind: Mapped[NoticeKind]
    status: Mapped[NoticeStatus]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    holds_consent: Mapped[bool] = mapped_column(server_default=text("false"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    first_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    msgid: Mapped[str | None]
    errcode: Mapped[int | None]
    errmsg: Mapped[str | None]
    rid: Mapped[str | None]
    result: Mapped[str | None]
    result_at: Mapped[datetime | None]


class NoticeDayCount(Base):
    """By how much the notices of a template on a day of UTC+8 became more or fewer, by their state.

    The sum of `count` is how many there are. errcode: WeChat's, of a notice that failed. reason: in
    other words, why a notice did not arrive. is_merged: whether the row is the sum of earlier rows.
    """

    __tablename__ = "notice_day_counts"
    __table_args__ = (
        Index(None, "appid", "day"),
        Index("ix_notice_day_counts_new", "id", postgresql_where=text("NOT is_merged")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    appid: Mapped[str]
    day: Mapped[date]
    template_id: Mapped[str]
    status: Mapped[NoticeStatus]
    errcode: Mapped[int | None]
    reason: Mapped[str]
    count: Mapped[int]
    is_merged: Mapped[bool] = mapped_column(server_default=text("false"))
