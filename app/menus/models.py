"""Tables of custom menus: the draft of an account, and the versions that were published."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class AccountMenu(Base):
    """The draft of an account. revision: raised by every change of the draft.

    last_number: of the latest version. live_number: of the one that was published last.
    """

    __tablename__ = "menus"

    appid: Mapped[str] = mapped_column(primary_key=True)
    draft: Mapped[dict[str, Any]]
    revision: Mapped[int]
    updated_at: Mapped[datetime]
    last_number: Mapped[int]
    live_number: Mapped[int | None]


class VersionState(StrEnum):
    """What became of a version.

    publishing: the job works on it. withdrawing: WeChat refused a part, or an operator stopped it,
    and the job restores what was there before. found: was at WeChat before a publication of ours.
    """

    PUBLISHING = "publishing"
    WITHDRAWING = "withdrawing"
    PUBLISHED = "published"
    FAILED = "failed"
    STOPPED = "stopped"
    FOUND = "found"


class MenuVersion(Base):
    """A menu as it was published, or as it was found at WeChat.

    menu: with placeholders; sent: as WeChat gets it. mark: begins each `{ref}`. left_out: what the
    API can't make of a menu that was found, and found: what WeChat answered then. previous: the
    number of the version that it replaced. restored_from: whose menu it is.

    Progress of the job: before: what WeChat had before the first change. default_created: the
    default menu is sent. menuids: of conditional menus that are sent, in the order of the document.
    deleted_all: all menus were deleted, since WeChat named no menuid. stop: an operator wants it
    stopped. verified: whether WeChat shows what was sent; restored: whether a withdrawal succeeded.
    try_at: when the job is due; null once it is over. leased_until, lease: the run that works now.
    attempts: failed calls since the last success; errcode, error, rid, failed_at: of the last one.
    """

    __tablename__ = "menu_versions"
    __table_args__ = (
        UniqueConstraint("appid", "number"),
        UniqueConstraint("mark"),
        Index(None, "try_at"),
        # One publication of an account at a time.
        Index(
            "uq_menu_versions_unfinished",
            "appid",
            unique=True,
            postgresql_where=text("try_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    appid: Mapped[str]
    number: Mapped[int]
    mark: Mapped[str]
    state: Mapped[VersionState]
    menu: Mapped[dict[str, Any]]
    sent: Mapped[dict[str, Any]]
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    found: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    previous: Mapped[int | None]
    restored_from: Mapped[int | None]
    actor_kind: Mapped[str | None]
    actor_name: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    default_created: Mapped[bool]
    menuids: Mapped[list[str]] = mapped_column(JSONB)
    deleted_all: Mapped[bool]
    stop: Mapped[bool]
    verified: Mapped[bool | None]
    restored: Mapped[bool | None]
    try_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    attempts: Mapped[int]
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    rid: Mapped[str | None]
    failed_at: Mapped[datetime | None]


class MenuTap(Base):
    """A tap that is not counted yet; the commit of its callback adds it, without the person."""

    __tablename__ = "menu_taps"

    callback_id: Mapped[UUID] = mapped_column(primary_key=True)
    appid: Mapped[str]
    event: Mapped[str]
    event_key: Mapped[str | None]
    menu_id: Mapped[str | None]
    occurred_at: Mapped[datetime]


class MenuButton(Base):
    """A button of a version that WeChat has, as the event of a tap names it.

    menu_id: of its conditional menu. live_from: when its publication began. mini_program: the AppID
    that it opens; None as well in a version that a release before this column published.
    """

    __tablename__ = "menu_buttons"
    __table_args__ = (Index(None, "appid", "event", "event_key"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    event_key: Mapped[str]
    menu_id: Mapped[str | None]
    live_from: Mapped[datetime]
    mini_program: Mapped[str | None]


class MenuTapCount(Base):
    """How often a button of a version was tapped on one day in Shanghai.

    number 0 and an empty position: taps on buttons that no version of ours has.
    """

    __tablename__ = "menu_tap_counts"
    __table_args__ = (Index(None, "day"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
