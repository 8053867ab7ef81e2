"""Tables of the rules."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class RuleRow(Base):
    """One rule, as `/api/rules` takes it. appid NULL: for every account.

    revision: the number of its changes, from 1.
    """

    __tablename__ = "rules"
    __table_args__ = (Index(None, "appid", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    appid: Mapped[str | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    priority: Mapped[int] = mapped_column(server_default=text("100"))
    trigger: Mapped[dict[str, Any]]
    conditions: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    replies: Mapped[list[dict[str, Any]]]
    utm: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RuleChange(StrEnum):
    """How a revision came about."""

    ADDED = "added"
    CHANGED = "changed"
    RESTORED = "restored"
    DELETED = "deleted"


class RuleRevision(Base):
    """One state of a rule, kept for ever. rule: as `/api/rules` takes it.

    operator: who made the change, see `Actor.name`.
    """

    __tablename__ = "rule_revisions"
    __table_args__ = (Index(None, "changed_at", postgresql_concurrently=True),)

    rule_id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[RuleChange]
    rule: Mapped[dict[str, Any]]
    operator: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RuleFiring(Base):
    """When a rule with a cooldown last answered a follower; not needed after `expires_at`.

    dedupe_key: the key of the callback that was answered.
    """

    __tablename__ = "rule_firings"
    __table_args__ = (Index(None, "expires_at"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(primary_key=True)
    fired_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    dedupe_key: Mapped[bytes]


class RulesVersion(Base):
    """One row with a counter that a trigger in the database raises with every change of `rules`.

    The trigger's function, `oa_bridge_rules_changed`, also sends NOTIFY `oa_bridge_rules`. The
    counter makes up for a missed notification. rule_count, keyword_count, size_bytes: what all
    rules take, which the function adds up as well (`oa_bridge_rule_weight`).
    """

    __tablename__ = "rules_version"

    only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    version: Mapped[int]
    rule_count: Mapped[int] = mapped_column(server_default=text("0"))
    keyword_count: Mapped[int] = mapped_column(server_default=text("0"))
    size_bytes: Mapped[int] = mapped_column(server_default=text("0"))


class RulesChanged(Base):
    """The ids of the rules that each of the last versions added, changed or deleted.

    `oa_bridge_rules_changed` writes it, too. A version without a row may have changed any rule.
    """

    __tablename__ = "rules_changed"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rule_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
