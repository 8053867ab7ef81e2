"""Tables of access tokens, uploaded media, quotas and problems, which all processes share."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, text
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
    """How many calls of one API this service made for an account on one day in Shanghai.

    before_clearing: those before the quotas of the account were last cleared on that day.
    """

    __tablename__ = "api_calls"

    appid: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    before_clearing: Mapped[int] = mapped_column(server_default=text("0"))


class ApiQuota(Base):
    """What WeChat last said about the quota of one API of an account; NULL where it said nothing.

    used: calls of that day when it was asked. rate_calls: at most so many in rate_seconds.
    """

    __tablename__ = "api_quotas"

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    daily_limit: Mapped[int | None]
    used: Mapped[int | None]
    rate_calls: Mapped[int | None]
    rate_seconds: Mapped[int | None]
    asked_at: Mapped[datetime]


class ApiRate(Base):
    """When an account may call one API again; all processes take their turns here.

    granted: how many turns were given last.
    """

    __tablename__ = "api_rates"
    # A row changes with every batch of calls.
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    granted: Mapped[int]


class ApiCallSpan(Base):
    """How many calls of an API an account made in five seconds but those refused with 45011.

    A refusal is taken off the span in which it came, so a single span may be below 0. What is older
    than ten minutes is deleted.
    """

    __tablename__ = "api_call_spans"
    __table_args__ = (Index(None, "began_at"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(primary_key=True)
    calls: Mapped[int]


class LearnedApiRate(Base):
    """What WeChat took of an API in a minute before it said 45011; see `learned_rate`.

    calls: NULL if that is not known. counted: whether it was looked for since `refused_at`.
    """

    __tablename__ = "learned_rates"

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    refused_at: Mapped[datetime]
    refusals: Mapped[int]
    calls: Mapped[int | None]
    counted: Mapped[bool]


class QuotaClearing(Base):
    """One clearing of an account's quotas that WeChat has made, or may have made."""

    __tablename__ = "quota_clearings"
    __table_args__ = (Index(None, "appid", "cleared_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appid: Mapped[str]
    cleared_at: Mapped[datetime]
    cleared_by: Mapped[str]


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


class EndedPause(Base):
    """A time in which some calls of an account waited, for a refusal or an outage; for charts.

    api, errcode: as those of the problem were.
    """

    __tablename__ = "ended_pauses"
    __table_args__ = (Index(None, "since"),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    api: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    errcode: Mapped[int | None]
