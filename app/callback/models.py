"""Tables of the inbox: callbacks, the signatures of those in plain mode, and refusals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class PlainSignature(Base):
    """A signature that a push in plain mode came with, and the push that it served."""

    __tablename__ = "plain_signatures"
    __table_args__ = (Index(None, "expires_at"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    signature: Mapped[bytes] = mapped_column(primary_key=True)
    dedupe_key: Mapped[bytes]
    expires_at: Mapped[datetime]


class CallbackRefusal(Base):
    """How many pushes were refused for one reason in one hour. appid: empty if it is unknown.

    reason: a slug, as in the log. seen_at: of the last one. `refusal_counts` writes it.
    """

    __tablename__ = "callback_refusals"

    appid: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
    seen_at: Mapped[datetime]


class Callback(Base):
    """Every push once.

    payload: the whole parsed document with its unknown members; `{}` once it is erased.

    dedupe_key: 20 bytes, see `wechat.inbound.dedupe_key`; the last 16 alone in a row that an
    earlier version stored. What such a version stores from now on the trigger
    `oa_bridge_earlier_dedupe_key` completes, with its function `oa_bridge_dedupe_key`.

    passive: the passive reply that was sent, as `outbound` JSON; NULL means `success`, or that it
    is erased. passive_id, passive_msgtype: its id and kind, which stay when it is erased; NULL if
    there was none, or if it has a row in `replies`, as every passive reply had once.
    passive_rule_id: NULL if it is that of `rule_id`, as it mostly is.

    The index `ix_callbacks_named` holds what the database function `oa_bridge_named` returns for
    each row.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        # Finds duplicates.
        Index("uq_callbacks_appid_dedupe_key", "appid", "dedupe_key", unique=True),
        # Erasure, and what a person did last.
        Index("ix_callbacks_latest", "appid", "openid", "occurred_at"),
        # Retention: the contents that are left.
        Index("ix_callbacks_full", "received_at", postgresql_where=text("payload <> '{}'::jsonb")),
        # What one rule answered, and how often.
        Index("ix_callbacks_rule", "rule_id", "id", postgresql_where=text("rule_id IS NOT NULL")),
        # The list of replies, of which passive ones have no row of their own.
        Index(
            "ix_callbacks_passive",
            "passive_id",
            postgresql_where=text("passive_id IS NOT NULL"),
            postgresql_concurrently=True,
        ),
        # Erasure of people whom the pushes of others name.
        Index(
            "ix_callbacks_named",
            text("oa_bridge_named(msgtype, payload)"),
            postgresql_using="gin",
            postgresql_where=text("oa_bridge_named(msgtype, payload) IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7: also the order of arrival
    appid: Mapped[str]
    dedupe_key: Mapped[bytes]
    openid: Mapped[str]
    msgtype: Mapped[str]
    event: Mapped[str | None]
    occurred_at: Mapped[datetime]  # CreateTime
    received_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    rule_id: Mapped[int | None]
    passive: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    passive_id: Mapped[UUID | None]
    passive_msgtype: Mapped[str | None]
    passive_rule_id: Mapped[int | None]
