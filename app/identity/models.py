"""Tables of the identity room."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ResolveState(StrEnum):
    """How far we know the UnionID of an OpenID."""

    PENDING = "pending"
    RESOLVED = "resolved"
    UNAVAILABLE = "unavailable"


NOT_YET_ASKED: Final = "not_yet_asked"


class OpenIdRow(Base):
    """One person at one account. unionid is NULL until `identity.resolve` learns it.

    resolve_next_at: when `identity.resolve` may ask again; NULL when there is nothing to ask.
    resolve_reason: why the UnionID is unavailable (not_following, not_bound, …); erased: it is that
    of somebody who was erased at every account, and this OpenID goes too.
    logged_in_at: of the latest login that a mini-program's backend reported with its time.
    erased_until: what they said and did by then is erased, also if it comes late. revoked: the
    same of classes of data whose authorisation was withdrawn, in Unix seconds by class.
    """

    __tablename__ = "openids"
    __table_args__ = (
        Index(None, "unionid", postgresql_where=text("unionid IS NOT NULL")),
        Index(None, "appid", "resolve_next_at", postgresql_where=text("resolve_state = 'pending'")),
        Index(
            "ix_openids_not_bound",
            "appid",
            "resolve_next_at",
            postgresql_where=text("resolve_reason = 'not_bound'"),
        ),
        Index(
            "ix_openids_erased",
            "appid",
            "openid",
            postgresql_where=text("resolve_reason = 'erased'"),
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    unionid: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    resolve_state: Mapped[ResolveState] = mapped_column(server_default=ResolveState.PENDING.value)
    resolve_reason: Mapped[str | None]
    resolve_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    resolve_next_at: Mapped[datetime | None]
    erased_until: Mapped[datetime | None]
    logged_in_at: Mapped[datetime | None]
    revoked: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def reason(self) -> str | None:
        """Why there is no UnionID, also before WeChat has told; None when there is one."""
        if self.resolve_reason is None and self.resolve_state is ResolveState.PENDING:
            return NOT_YET_ASKED
        return self.resolve_reason


class ResolvePause(Base):
    """WeChat refuses to tell anything about the people of an account: nobody is asked about."""

    __tablename__ = "resolve_pauses"

    appid: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class UnionIdSource(StrEnum):
    """Who told us a UnionID: WeChat's user/info, or a mini-program backend's report."""

    USER_INFO = "user_info"
    REPORT = "report"


class UnionIdChange(Base):
    """An OpenID turned out to have another UnionID than the one we knew.

    Binding an account to another Open Platform account changes every UnionID. What is
    (`openids`, `followers`, `consents`) carries the new one; what was (the events) keeps the one
    it was keyed with, and is found by both, through the OpenID. Source: protocol 8, rule 2.
    """

    __tablename__ = "unionid_changes"
    __table_args__ = (
        Index(None, "appid", "openid"),
        Index(None, "old_unionid"),
        Index(None, "new_unionid"),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    appid: Mapped[str]
    openid: Mapped[str]
    old_unionid: Mapped[str]
    new_unionid: Mapped[str]
    seen_at: Mapped[datetime]
    source: Mapped[UnionIdSource]
