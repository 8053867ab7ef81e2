"""Bodies of requests and responses of `/api/notice-sends`."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import Field, StrictBool, model_validator

from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.notices.models import NoticeKind, NoticeSend, NoticeStatus, SendSource, SendState
from app.notices.schemas import NoticeContent
from app.rules.definition.fields import Moment, Name, Strict
from app.settings import APPID_PATTERN
from app.wechat.errcodes import Language, explain

MAX_UNIONIDS = 5000
MAX_RATE = 200
DEFAULT_RATE = 20
MAX_AUDIENCE = 10_000_000

SendId = Annotated[UUID, Path(description="Id of the send")]


class AudienceFilter(Strict):
    """Which people of those who may get the notice. What is left out narrows nothing."""

    following: StrictBool | None = None
    """Whether they follow the account. A template message reaches followers alone."""
    scene: WeChatId | None = None
    """The QR scene of their latest follow."""
    seen_since: Moment | None = None
    """They were seen at the account at this time or later."""
    seen_before: Moment | None = None
    """They were last seen at the account before this time."""
    unionids: Annotated[list[WeChatId], Field(min_length=1, max_length=MAX_UNIONIDS)] | None = None
    """They are among these."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.seen_since and self.seen_before and self.seen_since >= self.seen_before:
            raise ValueError("seen_since is not before seen_before: correct one of them")
        return self


class AudienceIn(Strict):
    """Whom a notice may go to."""

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """The Official Account that sends."""
    template_id: WeChatId
    """A template of the account, as `GET /api/templates` lists it."""
    audience: AudienceFilter = Field(default_factory=AudienceFilter)
    """Which people of those who may get it; left out: all."""
    campaign_id: UUID | None = None
    """The campaign whose codes `{code}` stands for: each person gets theirs."""


class AudienceCount(ApiModel):
    """How many people a notice would go to now."""

    people: int
    """With a consent that is not reserved, or who follow, and who match the filter."""
    codes_needed: int | None
    """How many of them have no code of the campaign yet; null without `campaign_id`."""
    codes_free: int | None
    """How many codes a send may ask for, counted up to `codes_needed`: those that nobody has and
    that no other send needs; null without `campaign_id`.
    """


class AudienceSendIn(AudienceIn, NoticeContent):
    """A notice to all who may get it and match a filter."""

    name: Annotated[Name, Field(max_length=100)]
    """For operators."""
    max_recipients: Annotated[int, Field(ge=1, le=MAX_AUDIENCE, strict=True)]
    """At most so many people; more of them refuse the send. Count them first."""
    rate: Annotated[int, Field(ge=1, le=MAX_RATE, strict=True)] = DEFAULT_RATE
    """Notices a second."""


class SendProblem(ApiModel):
    """Why a send is paused that no operator has paused: WeChat refuses, or codes are missing."""

    errcode: int | None
    """WeChat's errcode."""
    errmsg: str
    """What WeChat said, or which codes are missing."""
    rid: str | None
    """The id of the call in WeChat's own log."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""


class SendOut(ApiModel):
    """Notices that were asked for together, and how far they are."""

    id: UUID
    """The id of the send: it filters `GET /api/notices`."""
    source: SendSource
    """Whether a request named each person, or an audience was described."""
    kind: NoticeKind
    """What is sent."""
    name: str
    """For operators; empty for a request."""
    appid: str
    """The account."""
    template_id: str
    """The template."""
    state: SendState
    """`paused` by an operator, or, with a `problem`, since WeChat would refuse every notice, or
    since codes are missing.
    """
    audience: dict[str, Any] | None
    """The filter; null for a request. UnionIDs are left out once all notices are queued."""
    campaign_id: UUID | None
    """The campaign whose codes its people get."""
    rate: int
    """Notices a second."""
    total: int
    """How many notices are queued; those of an audience are being queued until `queued_at`."""
    counts: dict[NoticeStatus, int]
    """How many notices have each status."""
    problem: SendProblem | None
    """Why no notice can be sent."""
    wait_until: datetime | None
    """When it goes on, if WeChat takes no calls until then, or the day's quota is used up."""
    created_at: datetime
    """When it was asked for."""
    created_by: str
    """Who asked for it."""
    queued_at: datetime | None
    """When all its notices were queued."""
    ended_at: datetime | None
    """When none of them waited any more."""

    @classmethod
    def of(cls, send: NoticeSend, counts: dict[str, int], language: Language) -> Self:
        """Return the JSON of a row."""
        names = cls.model_fields.keys() - {"problem", "counts"}
        return cls(
            **{name: getattr(send, name) for name in names},
            counts={NoticeStatus(name): count for name, count in counts.items()},
            problem=problem_of(send, language),
        )


class SendPage(ApiModel):
    """Sends, the newest first."""

    items: list[SendOut]
    """The sends."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


def problem_of(send: NoticeSend, language: Language) -> SendProblem | None:
    """Return why no notice of a send can be sent."""
    if send.errmsg is None:
        return None
    known = None if send.errcode is None else explain(send.errcode, language, send.rid)
    return SendProblem(
        errcode=send.errcode,
        errmsg=send.errmsg,
        rid=send.rid,
        meaning=None if known is None else known.meaning,
        fix=None if known is None else known.fix,
    )
