"""Tables of alarms: thresholds, alarms, receivers, and what each receiver was sent."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class AlarmThreshold(Base):
    """What an operator has set for one kind of alarm. appid: empty for all accounts.

    value: in the unit of the kind; NULL for its default.
    """

    __tablename__ = "alarm_thresholds"

    kind: Mapped[str] = mapped_column(primary_key=True)
    appid: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    value: Mapped[float | None]
    updated_at: Mapped[datetime]


class Alarm(Base):
    """A threshold that was reached, and until when. appid, subject: empty if there is none.

    value: the latest figure. threshold: with which it was compared. seen_at: when the figure was
    last too high.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index(
            "uq_alarms_open",
            "kind",
            "appid",
            "subject",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    kind: Mapped[str]
    appid: Mapped[str]
    subject: Mapped[str]
    value: Mapped[float]
    threshold: Mapped[float]
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReceiverKind(StrEnum):
    """In which way a receiver is told of alarms."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    WECOM = "wecom"
    FEISHU = "feishu"
    DINGTALK = "dingtalk"


class AlarmReceiver(Base):
    """Who is told of alarms.

    host: of the address, which alone is shown of it. mail: the settings of an e-mail but the
    password. secrets: JSON of `receiver_secrets.Secrets`, as `secret_box.SecretBox` returns it; no
    API shows it again. failures: attempts that have failed since the last success. next_at: nothing
    is sent before then. error: of the last failure. tested_at: when a test was last sent.
    leased_until, lease: the run that sends now.
    """

    __tablename__ = "alarm_receivers"

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    name: Mapped[str]
    kind: Mapped[ReceiverKind]
    language: Mapped[str]
    enabled: Mapped[bool]
    host: Mapped[str]
    mail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    secrets: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]


class Stage(StrEnum):
    """What is said about an alarm."""

    BEGAN = "began"
    LASTS = "lasts"
    ENDED = "ended"


class AlarmDelivery(Base):
    """What one receiver was told of one alarm.

    told_at: when it last accepted that the alarm began or lasts. ended_told_at: that it is over.
    sending: what the message says that is being sent, or was when its worker died. tries: how often
    it was begun without an answer. maybe_sent: such a message may have arrived.
    """

    __tablename__ = "alarm_deliveries"
    __table_args__ = (Index(None, "alarm_id"),)

    receiver_id: Mapped[UUID] = mapped_column(
        ForeignKey("alarm_receivers.id", ondelete="CASCADE"), primary_key=True
    )
    alarm_id: Mapped[UUID] = mapped_column(
        ForeignKey("alarms.id", ondelete="CASCADE"), primary_key=True
    )
    told_at: Mapped[datetime | None]
    ended_told_at: Mapped[datetime | None]
    sending: Mapped[Stage | None]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    maybe_sent: Mapped[bool] = mapped_column(server_default=text("false"))


class AlarmPushes(Base):
    """When an account first and last pushed, as far as `push_pauses` has counted."""

    __tablename__ = "alarm_pushes"

    appid: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class AlarmPushDay(Base):
    """A day of UTC on which an account pushed, and the longest usual pause that ended on it."""

    __tablename__ = "alarm_push_days"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    longest_pause_seconds: Mapped[float]


class AlarmProgress(Base):
    """The only row: the last callback that `push_pauses` has looked at; also a lock.

    looked_at: all pushes that arrived until then are counted.
    """

    __tablename__ = "alarm_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[UUID | None]
    looked_at: Mapped[datetime | None]
