"""Tables of the sums of follows, and of what they need to be corrected."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class GrowthProgress(Base):
    """The one row: events up to this position are counted, as far as they were settled."""

    __tablename__ = "growth_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]


class GrowthQuarter(Base):
    """New and lost followers of a quarter of an hour; a day of any time zone has whole ones."""

    __tablename__ = "growth_quarters"

    appid: Mapped[str] = mapped_column(primary_key=True)
    quarter: Mapped[datetime] = mapped_column(primary_key=True)
    new: Mapped[int]
    lost: Mapped[int]


class GrowthDay(Base):
    """New and lost followers of one label on a day that begins at midnight of UTC+8.

    kind: scene (label: WeChat's subscribe_scene) or qr_scene. label: NULL if there is none.
    label_digest: SHA-256 of the label, empty without one; a label may be too long for an index.
    net: new minus lost, and who moved from one label to another. No row has zeros alone, since
    its label may have been erased.
    """

    __tablename__ = "growth_days"
    __table_args__ = (
        Index(
            "ix_growth_days_empty", "appid", postgresql_where=text("(new, lost, net) = (0, 0, 0)")
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    label_digest: Mapped[bytes] = mapped_column(BYTEA, primary_key=True)
    label: Mapped[str | None]
    new: Mapped[int]
    lost: Mapped[int]
    net: Mapped[int]


class CountedFollowEvent(Base):
    """A row of follow_events as it was before a change; the lowest id of an event was counted.

    Rows are deleted when the sums are corrected: at the latest within a minute, and in the
    transaction of an erasure.
    """

    __tablename__ = "counted_follow_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str]
    action: Mapped[str]
    scene: Mapped[str | None]
    occurred_at: Mapped[datetime]
    position: Mapped[int]


class CountedHow(Base):
    """`followers.how` of a person as it was before a change, otherwise like the table above."""

    __tablename__ = "counted_hows"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    appid: Mapped[str]
    openid: Mapped[str]
    how: Mapped[str | None]
