"""Messages without media of their own. Source: protocol 5 and 6.2."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.wechat.outbound.base import Address, Line, Part, Via, absent, misfit

MAX_TEXT_BYTES = 2048
MAX_ARTICLES: dict[Via, int] = {"passive": 8, "customer_service": 1}


def _fits_a_text(text: str) -> str:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise ValueError(f"has {size:,} bytes, and WeChat takes {MAX_TEXT_BYTES:,}: shorten it")
    return text


class Text(Part):
    """Text, with or without mini-program links: `<a data-miniprogram-appid=… …>`."""

    msgtype: Literal["text"] = "text"
    via: Via
    content: Annotated[Line, AfterValidator(_fits_a_text)]


class Article(Part):
    """One entry of a news message. All four members are required."""

    title: Line
    description: Line
    url: Address
    picurl: Address


class News(Part):
    """Articles. An event may be answered with 8, a message and custom/send carry 1."""

    msgtype: Literal["news"] = "news"
    via: Via
    articles: Annotated[tuple[Article, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        most = MAX_ARTICLES[self.via]
        if len(self.articles) > most:
            raise misfit(
                "articles", f"must be at most {most} in news via {self.via}: remove the others"
            )
        return self


class MenuItem(Part):
    """One choice. id comes back as bizmsgmenuid, content as the text."""

    id: Line
    content: Line


class MsgMenu(Part):
    """A question with choices to tap."""

    msgtype: Literal["msgmenu"] = "msgmenu"
    via: Literal["customer_service"]
    head_content: Line | None = Field(default=None, exclude_if=absent)
    list: Annotated[tuple[MenuItem, ...], Field(min_length=1)]
    tail_content: Line | None = Field(default=None, exclude_if=absent)


class MpNewsArticle(Part):
    """An article published through the OA. article_id: from freepublish."""

    msgtype: Literal["mpnewsarticle"] = "mpnewsarticle"
    via: Literal["customer_service"]
    article_id: Line


class WxCard(Part):
    """A coupon of the card family."""

    msgtype: Literal["wxcard"] = "wxcard"
    via: Literal["customer_service"]
    card_id: Line


class TransferCustomerService(Part):
    """Hands the user's message over to human customer service; for messages, not for events.

    kf_account: a named agent. One who can't take the session loses the message to the others.
    """

    msgtype: Literal["transfer_customer_service"] = "transfer_customer_service"
    via: Literal["passive"]
    kf_account: Line | None = Field(default=None, exclude_if=absent)
