"""Tables of the identity room."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ResolveState(StrEnum):
    """How far we know the UnionID of an OpenID."""

    PENDING = "pending"
    RESOLVED = "resolved"
    UNAVAILABLE = "unavailable"


class OpenIdRow(Base):
    """One person at one account. unionid is NULL until `identity.resolve` learns it.

    resolve_next_at: when `identity.resolve` may ask again; NULL when there is nothing to ask.
    resolve_reason: why the UnionID is unavailable (not_following, not_bound, …).
    """

    __tablename__ = "openids"
    __table_args__ = (
        Index(None, "unionid", postgresql_where=text("unionid IS NOT NULL")),
        Index(None, "appid", "resolve_next_at", postgresql_where=text("resolve_state = 'pending'")),
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
