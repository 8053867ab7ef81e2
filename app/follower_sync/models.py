"""Tables of follower syncs and of their progress."""

from datetime import datetime

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class FollowerSync(Base):
    """One sync of all followers of an account; at most one per account is unfinished.

    cursor: next_openid after the last page whose people are all recorded; NULL before the first
    page and after the end. listed_at: when all pages were recorded; from then on the sync checks
    followers who were not listed. total: number of followers that WeChat returned. asked: people
    whose data was read. found, gone: follows and unfollows that were written.
    """

    __tablename__ = "follower_syncs"
    __table_args__ = (
        Index(
            "uq_follower_syncs_unfinished",
            "appid",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    appid: Mapped[str]
    started_at: Mapped[datetime]
    listed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cursor: Mapped[str | None]
    total: Mapped[int] = mapped_column(server_default=text("0"))
    asked: Mapped[int] = mapped_column(server_default=text("0"))
    found: Mapped[int] = mapped_column(server_default=text("0"))
    gone: Mapped[int] = mapped_column(server_default=text("0"))


class FollowerMark(Base):
    """A person whom the unfinished sync of an account has recorded.

    The marks are deleted when the sync is finished.
    """

    __tablename__ = "follower_marks"

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
