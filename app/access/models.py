"""Tables of operators, sign-in links, sessions, API tokens and the audit log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.access.roles import Role
from app.db.base import Base


class Operator(Base):
    """Somebody who uses the console. A name is never given to somebody else.

    language: `zh` or `en`; NULL: as the browser asks. disabled_at: from then on there is no way in.
    """

    __tablename__ = "operators"

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class SignInLink(Base):
    """A link that signs an operator in once. secret_hash: SHA-256 of what the link ends in."""

    __tablename__ = "sign_in_links"
    __table_args__ = (Index(None, "operator_id"), Index(None, "expires_at"))

    secret_hash: Mapped[bytes] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class OperatorSession(Base):
    """A browser in which an operator is signed in.

    secret_hash: SHA-256 of what the cookie holds. seen_at: the last request, to a minute.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "operator_id"), Index(None, "started_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operators.id"))
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class SignInAttempts(Base):
    """How often sign-in failed lately, by address and by link; `sign_in_throttle` has the limits.

    key: `address:` and the network, or `link:` and the SHA-256 of what the link ends in.
    """

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index(None, "began_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    count: Mapped[int]


class ApiToken(Base):
    """A token for `/api`. A name is never given to another token.

    secret_hash: SHA-256 of the token. scopes: names of `ApiScope`, as texts, so that a process of
    the release before can read those it does not know. appids: of the accounts of which it may
    report identities. expires_at: NULL: never. last_used_at: to a minute. scopes_used_at: scope →
    when it was last needed, to a day.
    """

    __tablename__ = "api_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    name: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    appids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    scopes_used_at: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb")
    )


class AuditEntry(Base):
    """Somebody did something. Rows are added and never changed; retention deletes old ones.

    before, after: a revision, a role or an id, or members as `audit_values` writes them; never a
    text of a message or a secret. count: number of things, where one action is about several.
    Kinds and actions are plain texts here, so that a process of the release before can show what it
    does not know.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "actor_name", "id"),
        Index(None, "action", "id"),
        Index(None, "subject_kind", "subject_id", "id"),
        Index(None, "occurred_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    occurred_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    address: Mapped[str | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    count: Mapped[int | None]
