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


class Text(Part):
    """Text, with or without mini-program links: `<a data-miniprogram-appid=… …>`."""

    msgtype: Literal["text"] = "text"
    via: Via
    content: Annotated[SeenLine, AfterValidator(_within_text_limit)]


class Article(Part):
    """One entry of a news message. All four members are required."""

    title: Line
    description: Line
    url: Address
    picurl: Address


class News(Part):
    """Articles: up to 8 in a reply to an event, 1 in a reply to a message and in custom/send."""

    msgtype: Literal["news"] = "news"
    via: Via
    articles: Annotated[tuple[Article, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        limit = MAX_ARTICLES[self.via]
        if len(self.articles) > limit:
            raise misfit(
                "articles", f"must be at most {limit} in news via {self.via}: remove the others"
            )
        return self


class MenuItem(Part):
    """One choice. When it is tapped, WeChat pushes id as bizmsgmenuid and content as the text."""

    id: Line
    content: SeenLine


class MsgMenu(Part):
    """A question with choices that a follower can tap."""

    msgtype: Literal["msgmenu"] = "msgmenu"
    via: Literal["customer_service"]
    head_content: Line | None = Field(default=None, exclude_if=absent)
    list: Annotated[tuple[MenuItem, ...], Field(min_length=1)]
    tail_content: Line | None = Field(default=None, exclude_if=absent)


class MpNewsArticle(Part):
    """An article that the OA has published. article_id: from freepublish."""

    msgtype: Literal["mpnewsarticle"] = "mpnewsarticle"
    via: Literal["customer_service"]
    article_id: Line


class WxCard(Part):
    """A card or coupon (卡券)."""

    msgtype: Literal["wxcard"] = "wxcard"
    via: Literal["customer_service"]
    card_id: Line


class TransferCustomerService(Part):
    """Hands a follower's message over to customer-service agents. It can't answer an event.

    kf_account: one agent. If that agent can't take the session, no other agent gets the message.
    """

    msgtype: Literal["transfer_customer_service"] = "transfer_customer_service"
    via: Literal["passive"]
    kf_account: Line | None = Field(default=None, exclude_if=absent)
