"""Tables of the privacy room: what is to be erased, what has been, and who is gone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.tombstones.models import Scope


class Trigger(StrEnum):
    """What asks for an erasure: four pushes, what came or was learnt late, an operator."""

    UNSUBSCRIBE = "unsubscribe"
    USER_INFO_MODIFIED = "user_info_modified"
    AUTHORIZATION_REVOKE = "user_authorization_revoke"
    AUTHORIZATION_CANCELLATION = "user_authorization_cancellation"
    LATE = "late"
    REQUEST = "request"


class Erasure(Base):
    """An erasure; once it is finished, its certificate, without personal data.

    id: of the callback that asks for it, or drawn. detail: RevokeInfo. requested_by: `wechat`,
    `sync`, `cli`, or the start of the SHA-256 of an admin token. until: what happened by then
    is erased. subject: `{"people": [[appid, openid], …], "unionids": […], "former": […]}`, NULL
    once finished. former: UnionIDs in rows of these people, perhaps of others. erased: [[appid,
    pseudonym], …]. counts: rows by table. unlinked_at: the dedupe keys say nothing of the
    person any more, either. waits_until: webhooks have to be told first, and it is looked again
    then.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        Index("ix_erasures_open", "requested_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_erasures_linked", "finished_at", postgresql_where=text("unlinked_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    trigger: Mapped[Trigger]
    detail: Mapped[str | None]
    appid: Mapped[str | None]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    until: Mapped[datetime]
    subject: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    scope: Mapped[Scope | None]
    erased: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    finished_at: Mapped[datetime | None]
    unlinked_at: Mapped[datetime | None]
    waits_until: Mapped[datetime | None]


class LatePush(Base):
    """A push of somebody who may have been erased after it was made; to be looked at.

    The inbox writes it in the statement that stores the push.
    """

    __tablename__ = "late_pushes"

    callback_id: Mapped[UUID] = mapped_column(primary_key=True)
