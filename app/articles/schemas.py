"""Bodies of requests and responses about articles. The limits are WeChat's (linkage 12.1, 12.2)."""

from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, field_validator

from app.api_model import ApiModel
from app.articles.markup import ArticleForm
from app.links.fallback_url import check_fallback
from app.rules.definition.fields import Words, storable
from app.settings import APPID_PATTERN

MARK_PATTERN: Final = r"^[A-Za-z0-9_-]{1,32}$"
PLACEHOLDER: Final = "{mini_program}"
MAX_CARD_TITLE: Final = 35
MAX_LINK_TEXT: Final = 100
MAX_TITLE: Final = 32
MAX_AUTHOR: Final = 16
MAX_DIGEST: Final = 120
MAX_CONTENT: Final = 19_999
MAX_URL: Final = 1024
MAX_MEDIA_ID: Final = 128


def _web_address(value: str) -> str:
    check_fallback(value)
    return value


WebAddress = Annotated[str, Field(max_length=MAX_URL), AfterValidator(_web_address)]


class ArticlePlacement(ApiModel):
    """How the mini-program of a link stands in an article."""

    model_config = ConfigDict(extra="forbid")

    mark: Annotated[str, Field(pattern=MARK_PATTERN)] | None = None
    """Names the article: the same mark has the same `ref`. Left out, each call draws a `ref`."""
    title: Annotated[Words, Field(max_length=MAX_CARD_TITLE)] | None = None
    """Title of the card; left out, it is the beginning of the link's name."""
    text: Annotated[Words, Field(max_length=MAX_LINK_TEXT)] | None = None
    """Text of the text link; left out, it is the link's name."""
    image_url: WebAddress | None = None
    """Picture of the card, 1080 × 864, at WeChat: from `media/uploadimg` or permanent material."""


class ArticleMarkupOut(ApiModel):
    """The HTML of a mini-program in an article, in each form that is possible."""

    ref: str
    """By which the visits of the article are known."""
    path: str
    """What opens, with its query."""
    card: str | None
    """A card; null without a picture."""
    image: str | None
    """A picture that is a link; null without a picture."""
    text: str
    """A text that is a link."""


class ArticleDraftIn(ApiModel):
    """An article with a mini-program, which becomes a draft of an Official Account."""

    model_config = ConfigDict(extra="forbid")

    appid: Annotated[str, Field(pattern=APPID_PATTERN)] | None = None
    """AppID of the Official Account; not needed if only one has an AppSecret."""
    title: Annotated[Words, Field(max_length=MAX_TITLE)]
    """Title of the article."""
    author: Annotated[str, Field(max_length=MAX_AUTHOR), AfterValidator(storable)] = ""
    """Who wrote it."""
    digest: Annotated[str, Field(max_length=MAX_DIGEST), AfterValidator(storable)] = ""
    """Summary; empty: WeChat takes the beginning of the text."""
    content: Annotated[Words, Field(max_length=MAX_CONTENT)]
    """HTML; the mini-program stands in place of `{mini_program}`, or at the end without it."""
    content_source_url: WebAddress | None = None
    """Where "read original" leads."""
    thumb_media_id: Annotated[Words, Field(max_length=MAX_MEDIA_ID)]
    """Permanent image material for the cover."""
    need_open_comment: StrictBool = False
    """Whether people may comment."""
    only_fans_can_comment: StrictBool = False
    """Whether followers alone may."""
    mini_program: ArticlePlacement = Field(default_factory=ArticlePlacement)
    """How the mini-program stands in it."""

    @field_validator("content")
    @classmethod
    def _one_place(cls, value: str) -> str:
        if value.count(PLACEHOLDER) > 1:
            raise ValueError(f"holds {PLACEHOLDER} more than once: keep one of them")
        return value

    def content_with(self, html: str) -> str:
        """Return the content with the HTML of the mini-program at its place."""
        if PLACEHOLDER in self.content:
            return self.content.replace(PLACEHOLDER, html)
        return self.content + html


class ArticleDraftOut(ApiModel):
    """A draft that WeChat has taken. Publish it in WeChat's console."""

    media_id: str
    """WeChat's id of the draft."""
    form: ArticleForm
    """How the mini-program stands in it."""
    ref: str
    """By which the visits of the article are known."""
    path: str
    """What opens, with its query."""
