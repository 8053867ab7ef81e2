"""Messages without media. Source: protocol 5 and 6.2."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from app.wechat.outbound.base import (
    Address,
    Line,
    Part,
    SeenLine,
    Via,
    absent,
    is_stored,
    misfit,
)

MAX_TEXT_BYTES = 2047
"""WeChat refuses a text of 2,048 bytes, which is the least that it does not take."""
MAX_ARTICLES: dict[Via, int] = {"passive": 8, "customer_service": 1}


def _within_text_limit(text: str, info: ValidationInfo) -> str:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES and not is_stored(info):
        raise ValueError(f"has {size:,} bytes, and WeChat takes {MAX_TEXT_BYTES:,}: shorten it")
    return text


Content = Annotated[SeenLine, AfterValidator(_within_text_limit)]
"""The content of a text."""


class Text(Part):
    """Text, with or without mini-program links: `<a data-miniprogram-appid=… …>`."""

    msgtype: Literal["text"] = "text"
    """The kind of message."""
    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    content: Content
    """The text, up to 2,047 bytes, with placeholders such as `{ref}`."""
    otherwise: Content | None = Field(default=None, exclude_if=absent)
    """A text that is sent instead to a person for whom there is no code any more, if `content` has
    `{code}`.
    """

    @property
    def text_instead(self) -> "Text | None":
        """The text of `otherwise`."""
        if self.otherwise is None:
            return None
        return Text.model_construct(via="customer_service", content=self.otherwise)


class Article(Part):
    """One entry of a news message. All four members are required."""

    title: Line
    """The title."""
    description: Line
    """The description."""
    url: Address
    """The page that it opens."""
    picurl: Address
    """The address of its picture."""


class News(Part):
    """Articles: up to 8 in a reply to an event, 1 in a reply to a message and in custom/send."""

    msgtype: Literal["news"] = "news"
    """The kind of message."""
    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    articles: Annotated[tuple[Article, ...], Field(min_length=1)]
    """The articles."""

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        limit = MAX_ARTICLES[self.via]
        if len(self.articles) > limit:
            raise misfit(
                "articles", f"must be at most {limit} in news via {self.via}: remove the others"
            )
        return self


class MenuItem(Part):
    """One choice."""

    id: Line
    """What WeChat pushes as bizmsgmenuid when it is tapped."""
    content: SeenLine
    """What is shown, and pushed as the text when it is tapped."""


class MsgMenu(Part):
    """A question with choices that a follower can tap."""

    msgtype: Literal["msgmenu"] = "msgmenu"
    """The kind of message."""
    via: Literal["customer_service"]
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    head_content: Line | None = Field(default=None, exclude_if=absent)
    """The text above the choices."""
    list: Annotated[tuple[MenuItem, ...], Field(min_length=1)]
    """The choices."""
    tail_content: Line | None = Field(default=None, exclude_if=absent)
    """The text below the choices."""


class MpNewsArticle(Part):
    """An article that the OA has published."""

    msgtype: Literal["mpnewsarticle"] = "mpnewsarticle"
    """The kind of message."""
    via: Literal["customer_service"]
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    article_id: Line
    """Its id, from freepublish."""


class WxCard(Part):
    """A card or coupon (卡券)."""

    msgtype: Literal["wxcard"] = "wxcard"
    """The kind of message."""
    via: Literal["customer_service"]
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    card_id: Line
    """The id of the card."""


class TransferCustomerService(Part):
    """Hands a follower's message over to customer-service agents. It can't answer an event."""

    msgtype: Literal["transfer_customer_service"] = "transfer_customer_service"
    """The kind of message."""
    via: Literal["passive"]
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    kf_account: Line | None = Field(default=None, exclude_if=absent)
    """One agent. If that agent can't take the session, no other agent gets the message."""
