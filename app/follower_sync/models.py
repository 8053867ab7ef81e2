"""Tables of the followers room: how far a synchronisation has come."""

from datetime import datetime

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class FollowerSync(Base):
    """One reading of all followers of an account; at most one of them is unfinished.

    cursor: next_openid after the last page whose people are all recorded; NULL before the first
    page and once it is finished. listed_at: the last page has been recorded, and who is missing
    is looked for. total: what WeChat gave as the number of followers. found, gone: follows and
    unfollows that it wrote.
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
    """A person that the unfinished synchronisation of an account has seen and recorded.

    The marks go when it is finished.
    """

    __tablename__ = "follower_marks"

    appid: Mapped[str] = mapped_column(primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
