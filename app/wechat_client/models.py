"""Tables of access tokens, uploaded media and problems, which all processes share."""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class AccessToken(Base):
    """The access token of one account, from WeChat's `stable_token`; see `token_store`."""

    __tablename__ = "access_tokens"

    appid: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]
    obtained_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Media(Base):
    """One medium that was uploaded as temporary media.

    source: `TYPE:file:DIGEST` of a content, and `USE:url:ADDRESS`, which has the media_id of the
    content that was found there. A content is uploaded once, whatever its names and addresses, and
    a changed file has another digest, so its old upload is not used any more.
    """

    __tablename__ = "media"

    appid: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str]
    uploaded_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # 3 days after the upload


class ApiCalls(Base):
    """How many calls of one API this service made for an account on one day in Shanghai."""

    __tablename__ = "api_calls"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]


class ApiProblem(Base):
    """The latest problem of an account with some calls of WeChat's API; a success deletes it.

    api: which calls: an API, or an API and the mini-program that its cards open, as `key_of` writes
    it. errcode: NULL if WeChat gave none; errmsg says what happened then. rid: of the request in
    WeChat's own log. since: of this errcode. count: how many calls failed with it.

    probe_at: until then these calls wait in all processes, and then one is let through; NULL if
    they go on. probes: how many were let through and failed.
    """

    __tablename__ = "api_problems"

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    errcode: Mapped[int | None]
    errmsg: Mapped[str]
    rid: Mapped[str | None]
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    count: Mapped[int] = mapped_column(server_default=text("1"))
    probe_at: Mapped[datetime | None]
    probes: Mapped[int] = mapped_column(server_default=text("0"))
