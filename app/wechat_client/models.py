"""Tables of the access room: what every process shares of an account's standing at WeChat."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class AccessToken(Base):
    """The access token of one account, from `stable_token`."""

    __tablename__ = "access_tokens"

    appid: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]
    obtained_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Media(Base):
    """One picture uploaded as temporary media. source: `file:NAME:DIGEST` or `url:ADDRESS`.

    The digest makes a changed file a new source, so an old picture is never sent for it.
    """

    __tablename__ = "media"

    appid: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str]
    uploaded_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # 3 days after the upload
