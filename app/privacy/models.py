"""Tables of erasures, with their certificates, and of pushes that may be late."""

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
    """What asks for an erasure.

    The first four are WeChat's events. late: data of an erased person that arrived or was linked to
    the person afterwards. request: an operator.
    """

    UNSUBSCRIBE = "unsubscribe"
    USER_INFO_MODIFIED = "user_info_modified"
    AUTHORIZATION_REVOKE = "user_authorization_revoke"
    AUTHORIZATION_CANCELLATION = "user_authorization_cancellation"
    LATE = "late"
    REQUEST = "request"


class NeedsPerson(StrEnum):
    """Why a person has to find out whom a privacy event is about.

    no_openid: it names nobody, or more than one. open_pid: it names a user of a mini-program's
    plugin, whom no other push names so. unionid_in_plain_mode: it names a UnionID alone, and in
    plain mode somebody else may have written it.
    """

    NO_OPENID = "no_openid"
    OPEN_PID = "open_pid"
    UNIONID_IN_PLAIN_MODE = "unionid_in_plain_mode"


class Erasure(Base):
    """An erasure; once it is finished, its certificate, which holds no personal data.

    id: that of the callback that asks for it, or a new one. detail: RevokeInfo. requested_by:
    `wechat`, `sync`, `cli`, or the start of the SHA-256 of an admin token. until: data up to then
    is erased. subject: `{"people": [[appid, openid], …], "unionids": […], "former": […]}`, NULL
    once finished, and if it is not known who is meant. former: UnionIDs in rows of these people,
    perhaps of others. erased: [[appid, pseudonym], …]. counts: rows by table. unlinked_at: when the
    dedupe keys of the pushes were replaced, too. waits_until: webhooks must be notified first; the
    next check is at that time. needs_person: why it is not known who is meant. closed_by: the
    operator who has dealt with that, as in requested_by.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        Index("ix_erasures_open", "requested_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_erasures_linked", "finished_at", postgresql_where=text("unlinked_at IS NULL")),
        Index(
            "ix_erasures_needs_person",
            "id",
            postgresql_where=text("needs_person IS NOT NULL AND finished_at IS NULL"),
        ),
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
    needs_person: Mapped[NeedsPerson | None]
    closed_by: Mapped[str | None]


class LatePush(Base):
    """A push of a person who may have been erased; the job `privacy.check` reads and deletes it.

    The inbox adds the row in the statement that stores the push.
    """

    __tablename__ = "late_pushes"

    callback_id: Mapped[UUID] = mapped_column(primary_key=True)
