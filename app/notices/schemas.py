"""Bodies of requests and responses of `/api/notices` and `/api/templates`."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field, model_validator

from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.notices.models import Notice, NoticeKind, NoticeStatus, NoticeTemplate
from app.rules.definition.fields import Strict
from app.rules.definition.utm import Utm
from app.settings import APPID_PATTERN
from app.wechat.errcodes import Language, explain

MAX_RECIPIENTS = 1000
MAX_VALUE = 1000
MAX_URL = 1024
MAX_PAGEPATH = 1024

# Without a slash in front, and without blanks.
PAGE_PATTERN = r"^(?:[^\x00-\x20\x7f/][^\x00-\x20\x7f]*)?$"

NoticeId = Annotated[UUID, Path(description="Id of the notice")]

Values = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=64)],
        Annotated[str, Field(max_length=MAX_VALUE)],
    ],
    Field(max_length=20),
]


class OpenedPage(Strict):
    """The page of a mini-program that a notice opens."""

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """AppID of a mini-program that is linked to the account."""
    pagepath: Annotated[str, Field(max_length=MAX_PAGEPATH, pattern=PAGE_PATTERN)]
    """Page of the released version, without a slash in front, perhaps with a query; `{ref}` is
    ten characters by which an arrival is known; without it, `ref=` is added. `{code}` is the
    person's code. Empty: home.
    """
    utm: Utm | None = None
    """UTM parameters that are added to the query."""


class NoticeContent(Strict):
    """What a notice says and opens."""

    data: Values = Field(default_factory=dict)
    """The value of each key of the template; `{code}` is the person's code of `campaign_id`."""
    miniprogram: OpenedPage | None = None
    """The page of a mini-program that the notice opens."""
    url: (
        Annotated[str, Field(max_length=MAX_URL, pattern=r"^https?://[^\x00-\x20\x7f]+$")] | None
    ) = None
    """The web page that it opens, or, beside `miniprogram`, where older clients go."""


class Recipient(Strict):
    """One person; exactly one of `openid` and `unionid` is given."""

    openid: WeChatId | None = None
    """The person at the account."""
    unionid: WeChatId | None = None
    """The person at all accounts; the OpenID seen last at the account gets the notice."""
    data: Values = Field(default_factory=dict)
    """Values for this person alone, in place of those of the request."""

    @model_validator(mode="after")
    def _one_id(self) -> Self:
        if (self.openid is None) == (self.unionid is None):
            raise ValueError("give either openid or unionid")
        return self


class NoticesIn(NoticeContent):
    """A notice to one person, or the same template to up to 1,000."""

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """The Official Account that sends."""
    template_id: WeChatId
    """A template of the account, as `GET /api/templates` lists it."""
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=MAX_RECIPIENTS)]
    """The people, each once."""
    campaign_id: UUID | None = None
    """The campaign whose codes `{code}` stands for: each person gets theirs."""


class QueuedNotice(ApiModel):
    """A notice that is queued."""

    id: UUID
    """The id of the notice."""
    openid: str
    """The person at the account."""


class NoticesQueued(ApiModel):
    """The notices of a request. A repeated request with the same key returns the same ones."""

    send_id: UUID
    """The id of the request: it filters `GET /api/notices`."""
    notices: list[QueuedNotice]
    """One for each recipient, in the order of the request."""


class NoticeOut(ApiModel):
    """One notice, and what became of it."""

    id: UUID
    """The id of the notice."""
    send_id: UUID
    """The id of the request or audience send."""
    appid: str
    """The account."""
    openid: str
    """The person at the account; a pseudonym after an erasure."""
    template_id: str
    """The template."""
    kind: NoticeKind
    """What it is."""
    status: NoticeStatus
    """What became of it."""
    attempts: int
    """How many calls were made for it."""
    created_at: datetime
    """When it was queued."""
    tried_at: datetime | None
    """When WeChat was called last."""
    msgid: str | None
    """WeChat's id of it."""
    errcode: int | None
    """WeChat's errcode of the last call."""
    errmsg: str | None
    """What WeChat said, or why it was not sent."""
    rid: str | None
    """The id of the call in WeChat's own log."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""
    result: str | None
    """What the report of its delivery said."""
    result_at: datetime | None
    """When WeChat reported that."""

    @classmethod
    def of(cls, notice: Notice, language: Language) -> Self:
        """Return the JSON of a row."""
        known = None if notice.errcode is None else explain(notice.errcode, language, notice.rid)
        names = cls.model_fields.keys() - {"meaning", "fix"}
        return cls(
            **{name: getattr(notice, name) for name in names},
            meaning=None if known is None else known.meaning,
            fix=None if known is None else known.fix,
        )


class NoticePage(ApiModel):
    """Notices, the newest first."""

    items: list[NoticeOut]
    """The notices."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


class TemplateKeyOut(ApiModel):
    """One value that a template takes."""

    name: str
    """Its key in `data`."""
    label: str
    """What stands before it in the notice."""
    type: str
    """The type of its value."""
    choices: list[str] = Field(default_factory=list)
    """The only values that it takes; empty: any of the type."""


class TemplateOut(ApiModel):
    """A template of an account."""

    model_config = ConfigDict(from_attributes=True)

    appid: str
    """The account."""
    template_id: str
    """The id of the template."""
    kind: NoticeKind
    """`subscription` needs a consent for each notice, `template` a follower."""
    title: str
    """Its title."""
    content: str
    """Its lines, with keys in double braces."""
    example: str
    """An example, as WeChat gives it."""
    is_long_term: bool
    """Whether one consent allows any number of notices."""
    keys: list[TemplateKeyOut]
    """The values that it takes."""
    listed_at: datetime
    """When WeChat listed it last."""

    @classmethod
    def of(cls, template: NoticeTemplate) -> Self:
        """Return the JSON of a row."""
        return cls.model_validate(template)


class TemplateList(ApiModel):
    """The templates of the accounts."""

    items: list[TemplateOut]
    """By account, kind and title."""


class TemplatesRefresh(Strict):
    """Whose templates are read from WeChat."""

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """An Official Account whose AppSecret is known."""


def stored_content(content: NoticeContent) -> dict[str, Any]:
    """Return what the table has of a content: what is not given is left out."""
    return content.model_dump(
        mode="json", include=set(NoticeContent.model_fields), exclude_none=True
    )
