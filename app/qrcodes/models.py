"""Tables of QR codes: the lists they were made from, their figures by day, and their number."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.links.renewable import Renewable


class QrKind(StrEnum):
    """How long a code lives at WeChat. Source: protocol 9.5.

    temporary: 30 days at most; the worker renews it under the same scene. permanent: for ever; an
    account may make 100,000.
    """

    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class Figures:
    """What people did by a code. scans: all of them, those that led to a follow included.

    new_follows: of people who had never followed. refollows: of people who had left. left_in_day,
    left_in_week: how many of the follows ended within 24 hours, and within seven days. cards: sent
    in answer to a scan.
    """

    scans: Mapped[int] = mapped_column(server_default=text("0"))
    new_follows: Mapped[int] = mapped_column(server_default=text("0"))
    refollows: Mapped[int] = mapped_column(server_default=text("0"))
    left_in_day: Mapped[int] = mapped_column(server_default=text("0"))
    left_in_week: Mapped[int] = mapped_column(server_default=text("0"))
    cards: Mapped[int] = mapped_column(server_default=text("0"))


class QrCode(Renewable, Figures, Base):
    """A code of one scene. Its figures are those since it was added.

    may_exist: whether WeChat has made it, or nobody knows. url: what the picture holds; None until
    WeChat has made it. expires_at: when the service reckons with its end; None for a permanent one.
    list_id, number: the list that it came from, and its line there.
    """

    __tablename__ = "qrcodes"
    # The figures change often: the page has room for that, and no index is touched.
    __table_args__ = (
        UniqueConstraint("slug"),
        UniqueConstraint("scene", "appid"),
        Index(None, "appid", "id"),
        Index(None, "list_id", "number", postgresql_where=text("list_id IS NOT NULL")),
        Index(None, "renew_at"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    slug: Mapped[str]
    name: Mapped[str]
    appid: Mapped[str]
    kind: Mapped[QrKind]
    scene: Mapped[str]
    list_id: Mapped[UUID | None]
    number: Mapped[int | None]
    created_at: Mapped[datetime]
    may_exist: Mapped[bool] = mapped_column(server_default=text("false"))
    url: Mapped[str | None]
    ticket: Mapped[str | None]
    expires_at: Mapped[datetime | None]


class QrCodeDay(Figures, Base):
    """The figures of a code on one day in Shanghai: that of the scan."""

    __tablename__ = "qrcode_days"
    __table_args__ = (Index(None, "day"),)

    qrcode_id: Mapped[UUID] = mapped_column(
        ForeignKey("qrcodes.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)


class QrCodeList(Base):
    """Codes that were made by one call. key: of the caller, so that a repeated call makes none."""

    __tablename__ = "qrcode_lists"
    __table_args__ = (UniqueConstraint("appid", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    appid: Mapped[str]
    kind: Mapped[QrKind]
    key: Mapped[str]
    digest: Mapped[str]  # of what was asked for
    total: Mapped[int]
    created_at: Mapped[datetime]


class QrCodeCount(Base):
    """How many codes of a kind an account has.

    A permanent code that WeChat has made, or may have made, counts for ever.
    """

    __tablename__ = "qrcode_counts"

    appid: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[QrKind] = mapped_column(primary_key=True)
    count: Mapped[int]


class QrCodeCursor(Base):
    """The only row: up to where events and cards are counted.

    position: of the history. cards_until: by the time at which a card was sent; None before the
    first code.
    """

    __tablename__ = "qrcode_cursor"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    position: Mapped[int]
    cards_until: Mapped[datetime | None]
