"""Tables of figures by day: what WeChat answered, and what arrived here."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class WeChatFigures(Base):
    """What one call answers about one day in Shanghai, and when it is asked next.

    call: see `FigureCall`. rows: as `FigureRow.values`; NULL until they are read. try_at: NULL once
    WeChat is asked no more. alone: WeChat refused the days of a longer call, so it is asked for
    this day alone. leased_until, lease: the run that asks now. attempts: failed calls since the
    last success; errcode, error, rid, failed_at: of the last one.
    """

    __tablename__ = "wechat_figures"
    __table_args__ = (Index(None, "try_at"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    call: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rows: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    read_at: Mapped[datetime | None]
    try_at: Mapped[datetime | None]
    alone: Mapped[bool] = mapped_column(server_default=text("false"))
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    rid: Mapped[str | None]
    failed_at: Mapped[datetime | None]


class PushDay(Base):
    """The pushes of an account on one day in Shanghai, by their CreateTime; no person is in it.

    covered: pushes came before the day began, so that it can be compared. qr_follows: follows by a
    parameterised QR code, as far as the scene is known. refused: pushes that were refused, without
    those of strangers. hours: how many pushes arrived in each of the 24 hours. last_push_at: of the
    latest push up to the end of the day. silences: `[from, until]` in which no push came although
    many were to be expected; until is null if the day ended before.
    """

    __tablename__ = "push_days"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    covered: Mapped[bool]
    follows: Mapped[int]
    unfollows: Mapped[int]
    qr_follows: Mapped[int]
    texts: Mapped[int]
    images: Mapped[int]
    voices: Mapped[int]
    videos: Mapped[int]
    links: Mapped[int]
    pushes: Mapped[int]
    refused: Mapped[int]
    hours: Mapped[list[int]] = mapped_column(JSONB)
    last_push_at: Mapped[datetime | None]
    silences: Mapped[list[list[str | None]]] = mapped_column(JSONB)
    counted_at: Mapped[datetime]


class VisitDay(Base):
    """The launches that a mini-program reported for one day in Shanghai; no person is in it.

    people: how many different OpenIDs or UnionIDs were reported. scenes: how many launches each
    scene had, of those that are compared; NULL: an earlier release has counted the day.
    """

    __tablename__ = "visit_days"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    launches: Mapped[int]
    people: Mapped[int]
    scenes: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    counted_at: Mapped[datetime]
