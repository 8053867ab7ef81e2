"""Tables of the links into mini-programs, their opens, and the quota of making URL Links."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.links.renewable import Renewable


class EnvVersion(StrEnum):
    """The version of the mini-program; the last two open outside WeChat alone. Linkage 5.1."""

    RELEASE = "release"
    TRIAL = "trial"
    DEVELOP = "develop"


class Link(Renewable, Base):
    """A page of a mini-program, and the URL Link at WeChat that opens it.

    query: with placeholders. revision: raised by every change. url_link_revision: the revision for
    which the URL Link was made.
    """

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("slug"),
        Index(None, "appid", "id"),
        Index(None, "renew_at"),
        # How the mark of a ref ends; see `app.refs`.
        Index("ix_links_ref", text("right(CAST(id AS text), 10)"), postgresql_concurrently=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    slug: Mapped[str]
    name: Mapped[str]
    appid: Mapped[str]
    path: Mapped[str]
    query: Mapped[str]
    utm: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    env_version: Mapped[EnvVersion]
    fallback_url: Mapped[str | None]
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    url_link: Mapped[str | None]
    url_link_revision: Mapped[int | None]
    url_link_expires_at: Mapped[datetime | None]


class OpenKind(StrEnum):
    """What a visitor of a short URL got.

    mini_program: the redirect to WeChat. desktop: the page with the QR code. fallback: the
    fall-back URL, or the page that says that there is none. preview: a robot or a browser that
    looks ahead.
    """

    MINI_PROGRAM = "mini_program"
    DESKTOP = "desktop"
    FALLBACK = "fallback"
    PREVIEW = "preview"


class LinkOpens(Base):
    """How often a link was opened on one day in Shanghai, once for each visitor and minute."""

    __tablename__ = "link_opens"
    __table_args__ = (Index(None, "day"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class LinkVisit(Base):
    """A visitor of one minute, by which a second open of that minute is recognised.

    visitor: a keyed hash that differs for every link and minute. The row is deleted after minutes.
    """

    __tablename__ = "link_visits"
    __table_args__ = (Index(None, "minute"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    visitor: Mapped[bytes] = mapped_column(BYTEA, primary_key=True)


class LinkQuota(Base):
    """How many URL Links and URL Schemes a mini-program has made today and in this second.

    paused_until: WeChat has said that the day's are used up.
    """

    __tablename__ = "link_quotas"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    in_day: Mapped[int]
    second: Mapped[datetime]
    in_second: Mapped[int]
    paused_until: Mapped[datetime | None]
