"""Tables of OpenIDs, their UnionIDs and UnionID changes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ResolveState(StrEnum):
    """State of the search for the UnionID of an OpenID.

    pending: to be asked (again) at resolve_next_at. resolved: the UnionID is known. unavailable:
    asking WeChat does not help.
    """

    PENDING = "pending"
    RESOLVED = "resolved"
    UNAVAILABLE = "unavailable"


NOT_YET_ASKED: Final = "not_yet_asked"
NO_ANSWER: Final = "no_answer"
# WeChat's batch call or a report named another UnionID than the stored one: one user/info decides.
CONFLICT: Final = "unionid_conflict"


class UnionIdSource(StrEnum):
    """Source of a UnionID: WeChat's user/info API, or a login report of a backend."""

    USER_INFO = "user_info"
    REPORT = "report"


class OpenIdRow(Base):
    """One person at one account. unionid is NULL until it is known.

    unionid_source: who named the present UnionID; NULL if it was stored before this column existed.
    resolve_next_at: when the job `identity.resolve` may ask WeChat (again); NULL when it need not.
    resolve_reason: why there is no UnionID (not_following, not_bound, …); erased: the UnionID
    belongs to a person who was erased at all accounts, and this OpenID will be erased too;
    unionid_conflict: there is a UnionID, but another one was named, and WeChat is to decide.
    messaged_at: when the person wrote last, at most when that arrived: a send window begins then.
    logged_in_at: time of the latest login that a mini-program's backend reported with a time.
    erased_until: contents up to then are erased, also those that arrive later. revoked: the same
    for classes of data whose authorization was revoked, in Unix seconds by `Scope` value.
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
        Index(
            "ix_openids_unionid_conflict",
            "appid",
            "resolve_next_at",
            postgresql_where=text("resolve_reason = 'unionid_conflict'"),
        ),
        # Every push changes its sender's row: the page has room for that, and no index is touched.
        {"postgresql_with": {"fillfactor": 80}},
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    unionid: Mapped[str | None]
    unionid_source: Mapped[UnionIdSource | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    messaged_at: Mapped[datetime | None]
    resolve_state: Mapped[ResolveState] = mapped_column(server_default=ResolveState.PENDING.value)
    resolve_reason: Mapped[str | None]
    resolve_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    resolve_next_at: Mapped[datetime | None]
    erased_until: Mapped[datetime | None]
    logged_in_at: Mapped[datetime | None]
    revoked: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def reason(self) -> str | None:
        """Why there is no UnionID, also before WeChat was asked; None when there is one."""
        if self.resolve_reason is None and self.resolve_state is ResolveState.PENDING:
            return NO_ANSWER if self.resolve_attempts else NOT_YET_ASKED
        return self.resolve_reason


class FollowerRemark(Base):
    """What an operator calls a follower in WeChat's console (备注). Who has none has no row."""

    __tablename__ = "follower_remarks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["appid", "openid"], ["openids.appid", "openids.openid"], ondelete="CASCADE"
        ),
        Index(None, "remark", "appid", "openid"),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    remark: Mapped[str]


class ResolvePause(Base):
    """No OpenID of the account is asked about before `until`: WeChat refused the calls.

    by_token: WeChat refused the access token, so that a token that was got after `since` ends the
    pause.
    """

    __tablename__ = "resolve_pauses"

    appid: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    since: Mapped[datetime | None]
    by_token: Mapped[bool] = mapped_column(server_default=text("false"))


class UnionIdChange(Base):
    """One change of the UnionID of an OpenID.

    Binding an account to another Open Platform account changes every UnionID. Rows of the present
    state (`openids`, `followers`, `consents`) get the new UnionID; events keep the old one. Both
    UnionIDs find the events, through the OpenID. Source: protocol 8, rule 2.
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
