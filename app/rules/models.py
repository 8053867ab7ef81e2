"""Tables of the rules room."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class RuleRow(Base):
    """One keyword rule, as `/api/rules` takes it. appid NULL: every account."""

    __tablename__ = "rules"
    __table_args__ = (Index(None, "appid", "id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    appid: Mapped[str | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    priority: Mapped[int] = mapped_column(server_default=text("100"))
    trigger: Mapped[dict[str, Any]]
    replies: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RulesVersion(Base):
    """One row: a counter that every change of `rules` raises, by a trigger in the database.

    The same trigger sends NOTIFY `oa_bridge_rules`; the counter heals a missed one.
    """

    __tablename__ = "rules_version"

    only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    version: Mapped[int]
