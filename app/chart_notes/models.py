"""The table of notes that operators add to the time line of charts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ChartNote(Base):
    """A note of an operator, about a day of whatever time zone a chart has, or about a moment.

    Either day or at is set. appid: NULL for every account. actor_kind, actor_name: who wrote it
    last, see `Actor`.
    """

    __tablename__ = "chart_notes"
    __table_args__ = (Index(None, "day"), Index(None, "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    appid: Mapped[str | None]
    day: Mapped[date | None]
    at: Mapped[datetime | None]
    text: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
