"""Bodies of requests and responses of `/api/links`."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StrictBool, field_validator

from app.api_model import ApiModel
from app.links.fallback_url import MAX_URL, check_fallback
from app.links.models import EnvVersion, Link
from app.links.renewable import Renewable
from app.links.target_query import MAX_QUERY
from app.rules.definition.fields import Name, storable
from app.rules.definition.utm import Utm
from app.settings import APPID_PATTERN
from app.wechat.errcodes import Language, explain

SLUG_PATTERN = r"^[A-Za-z0-9_-]{4,32}$"
PATH_PATTERN = r"^(?:[^/?#\s\x00][^?#\s\x00]*)?$"
MAX_PATH = 512
MAX_TITLE = 20

# WeChat's own parameter in the codes that it draws. Source: linkage 5.5.
RESERVED_SCENE = "scancode_time"

LinkId = Annotated[UUID, Path(description="Id of the link")]


class LinkIn(ApiModel):
    """A page of a mini-program that one short URL opens."""

    model_config = ConfigDict(extra="forbid")

    slug: Annotated[str, Field(pattern=SLUG_PATTERN)] | None = None
    """The end of the short URL: 4 to 32 letters, digits, `_` and `-`; left out, one is drawn."""
    name: Annotated[Name, Field(max_length=100)]
    """For operators, and the title of the pages that visitors see."""
    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """AppID of the mini-program; its AppSecret is in ACCOUNTS_FILE."""
    path: Annotated[str, Field(max_length=MAX_PATH, pattern=PATH_PATTERN)] = ""
    """Page of the released version, without a slash in front and without its query; empty: home."""
    query: Annotated[str, Field(max_length=MAX_QUERY), AfterValidator(storable)] = ""
    """Query of the page, without `?`; `{link}` is the slug, `{ref}` is new for each open."""
    utm: Utm | None = None
    """UTM parameters that are added to the query."""
    env_version: EnvVersion = EnvVersion.RELEASE
    """Version of the mini-program; `trial` and `develop` open outside WeChat alone."""
    fallback_url: Annotated[str, Field(max_length=MAX_URL)] | None = None
    """Where browsers go while WeChat refuses to make a link; without it a page says so."""

    @field_validator("fallback_url")
    @classmethod
    def _for_browsers(cls, value: str | None) -> str | None:
        if value is not None:
            check_fallback(value)
        return value


class LinkReplacement(LinkIn):
    """A link that replaces a stored one, perhaps as `GET` returned it.

    A changed `id` or `created_at` is refused; what else only the service sets is ignored.
    """

    id: UUID | None = None
    """As it was read, or left out."""
    created_at: AwareDatetime | None = None
    """As it was read, or left out."""
    updated_at: AwareDatetime | None = None
    """Ignored."""
    revision: int | None = None
    """Ignored."""
    short_url: str | None = None
    """Ignored."""
    url_link: str | None = None
    """Ignored."""
    url_link_expires_at: AwareDatetime | None = None
    """Ignored."""
    renew_at: AwareDatetime | None = None
    """Ignored."""
    problem: dict[str, object] | None = None
    """Ignored."""


class LinkProblem(ApiModel):
    """Why WeChat made nothing when it was asked last."""

    errcode: int | None
    """WeChat's errcode; null if no answer came."""
    errmsg: str
    """What WeChat said."""
    rid: str | None
    """The id of the request in WeChat's own log."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""
    at: datetime
    """When this was."""


class LinkOut(ApiModel):
    """A link and its state."""

    id: UUID
    """The id of the link."""
    slug: str
    """The end of the short URL."""
    short_url: str
    """What people open: it redirects to WeChat, or to where the link falls back."""
    name: str
    """For operators, and the title of the pages that visitors see."""
    appid: str
    """AppID of the mini-program."""
    path: str
    """Page of the released version; empty: home."""
    query: str
    """Query of the page, with its placeholders."""
    utm: Utm | None
    """UTM parameters that are added to the query."""
    env_version: EnvVersion
    """Version of the mini-program."""
    fallback_url: str | None
    """Where browsers go while WeChat refuses to make a link."""
    revision: int
    """Raised by every change."""
    url_link: str | None
    """The URL Link in use; null until WeChat has made one."""
    url_link_expires_at: datetime | None
    """When the URL Link ends; it is renewed a week before."""
    renew_at: datetime
    """When WeChat is asked for the next one."""
    problem: LinkProblem | None
    """Why WeChat made none when it was asked last; null after a success."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""

    @classmethod
    def of(cls, link: Link, base_url: str, language: Language) -> Self:
        """Return the JSON of a row. base_url: of the short URL."""
        return cls(
            id=link.id,
            slug=link.slug,
            short_url=short_url(base_url, link.slug),
            name=link.name,
            appid=link.appid,
            path=link.path,
            query=link.query,
            utm=utm_of(link),
            env_version=link.env_version,
            fallback_url=link.fallback_url,
            revision=link.revision,
            url_link=link.url_link,
            url_link_expires_at=link.url_link_expires_at,
            renew_at=link.renew_at,
            problem=problem_of(link, language),
            created_at=link.created_at,
            updated_at=link.updated_at,
        )


class LinkPage(ApiModel):
    """Links, the newest first."""

    items: list[LinkOut]
    """The links."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


class OpensOfDay(ApiModel):
    """The opens of one day, once for each visitor and minute."""

    day: date
    """A day in Shanghai."""
    mini_program: int = 0
    """Visitors who were sent to WeChat."""
    desktop: int = 0
    """Visitors who saw the page with the QR code."""
    fallback: int = 0
    """Visitors for whom there was no URL Link."""
    preview: int = 0
    """Robots, and browsers that looked ahead."""


class LinkOpensOut(ApiModel):
    """The opens of a link by day."""

    items: list[OpensOfDay]
    """Days with opens, the earliest first."""


class SchemeIn(ApiModel):
    """How long a URL Scheme lives."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=1, le=30, strict=True)] = 30
    """Days until it ends."""


class ShortLinkIn(ApiModel):
    """How a short link looks and how long it lives."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=MAX_TITLE, pattern=r"^[^\x00]*$")] = ""
    """What people see in the chat; empty: the name of the mini-program."""
    permanent: StrictBool = False
    """Whether it lives for ever: a mini-program has 100,000 such links in all."""


class CodeIn(ApiModel):
    """A mini-program code of the unlimited kind."""

    model_config = ConfigDict(extra="forbid")

    scene: (
        Annotated[
            str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+$")
        ]
        | None
    ) = None
    """Arrives in the mini-program as `scene`; left out, it is a ref of the link."""
    width: Annotated[int, Field(ge=280, le=1280, strict=True)] = 430
    """Width of the picture in pixels."""
    transparent: StrictBool = False
    """Whether the picture has no background."""

    @field_validator("scene")
    @classmethod
    def _not_reserved(cls, value: str | None) -> str | None:
        if value is not None and RESERVED_SCENE in value:
            raise ValueError(f"holds {RESERVED_SCENE}, which WeChat reserves: choose another word")
        return value


class MadeLink(ApiModel):
    """A link that was made for one recipient."""

    kind: Literal["url_scheme", "short_link", "plain_scheme"]
    """What it is."""
    link: str
    """The link itself."""
    ref: str
    """The value of `{ref}` in it."""


def short_url(base_url: str, slug: str) -> str:
    """Return the URL of ours that opens a link."""
    return f"{base_url}/go/{slug}"


def utm_of(link: Link) -> Utm | None:
    """Return the UTM parameters of a row."""
    return None if link.utm is None else Utm.model_validate(link.utm)


def problem_of(link: Renewable, language: Language) -> LinkProblem | None:
    """Return why WeChat made nothing when it was asked last; None after a success."""
    if link.failed_at is None:
        return None
    known = None if link.errcode is None else explain(link.errcode, language, link.rid)
    return LinkProblem(
        errcode=link.errcode,
        errmsg=link.error or "",
        rid=link.rid,
        meaning=None if known is None else known.meaning,
        fix=None if known is None else known.fix,
        at=link.failed_at,
    )
