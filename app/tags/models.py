"""Tables of tags, of who has which, and of runs that tag many people."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class TagAction(StrEnum):
    """What a run does. pull: reads the account's tags and who has each."""

    TAG = "tag"
    UNTAG = "untag"
    PULL = "pull"


class TagRunState(StrEnum):
    """The state of a run. failed: WeChat refused what it does, for everybody."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Tag(Base):
    """A tag of an account. people: how many followers have it, as WeChat said at listed_at."""

    __tablename__ = "tags"

    appid: Mapped[str] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    people: Mapped[int]
    listed_at: Mapped[datetime]


class FollowerTag(Base):
    """A follower has a tag. known_at: when WeChat took it from here, or named it last."""

    __tablename__ = "follower_tags"
    __table_args__ = (
        Index(None, "appid", "tag_id", "openid"),
        # WeChat deletes no tag of more than 100,000 followers, which bounds what goes with it.
        ForeignKeyConstraint(
            ["appid", "tag_id"], ["tags.appid", "tags.tag_id"], ondelete="CASCADE"
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    tag_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    known_at: Mapped[datetime]


class TagRun(Base):
    """Calls of WeChat that belong together; those of one account run one after the other.

    tag_id: NULL for a pull. filter: whom of the followers; NULL if each person was named, and for a
    pull. key, digest: of the request. total: how many people were named; NULL if that is not known
    before the end. done, refused: how many people are tagged, and how many WeChat refused. cursor:
    the OpenID up to which a filter is done; cursor_tag: the tag that a pull reads. try_at: when to
    work on it next; NULL once it is over. leased_until, lease: the job that works on it now.
    attempts: failed calls in a row; errcode, error, rid, failed_at: of the last of them.
    """

    __tablename__ = "tag_runs"
    __table_args__ = (
        UniqueConstraint("appid", "key"),
        Index(None, "appid", "id"),
        Index(None, "try_at"),
        Index("ix_tag_runs_open", "appid", "id", postgresql_where=text("try_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    appid: Mapped[str]
    action: Mapped[TagAction]
    tag_id: Mapped[int | None]
    filter: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    key: Mapped[str]
    digest: Mapped[str]
    state: Mapped[TagRunState]
    total: Mapped[int | None]
    done: Mapped[int] = mapped_column(server_default=text("0"))
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    cursor: Mapped[str | None]
    cursor_tag: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    try_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    rid: Mapped[str | None]
    failed_at: Mapped[datetime | None]


class TagRunPerson(Base):
    """A person of a run who waits, or whom WeChat refused: then with its errcode."""

    __tablename__ = "tag_run_people"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], ["tag_runs.id"], ondelete="CASCADE"),
        Index("ix_tag_run_people_person", "appid", "openid"),
        Index(
            "ix_tag_run_people_waiting",
            "run_id",
            "openid",
            postgresql_where=text("errcode IS NULL"),
        ),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    appid: Mapped[str]
    errcode: Mapped[int | None]
