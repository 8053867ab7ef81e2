"""The mini-program card. Source: protocol 5 and 6.3."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from app.wechat.outbound.base import Line, MediaSource, Part, absent
from app.wechat.outbound.messages import Content, Text

MAX_TITLE_CHARACTERS = 64
MAX_PAGEPATH_BYTES = 1024


def _never_passive(via: object) -> object:
    if via == "passive":
        raise ValueError(
            "WeChat has no passive reply with a mini-program card: use "
            '"via": "customer_service"; for an answer inside the response add a text '
            "with a mini-program link"
        )
    return via


def _as_in_app_json(pagepath: str) -> str:
    if pagepath.startswith("/"):
        raise ValueError("is not as in app.json: remove the leading slash")
    size = len(pagepath.encode())
    if size > MAX_PAGEPATH_BYTES:
        raise ValueError(f"has {size:,} bytes, and at most {MAX_PAGEPATH_BYTES:,} fit: shorten it")
    return pagepath


class MiniProgramPage(Part):
    """A card that opens a page of a mini-program that is linked to the OA."""

    msgtype: Literal["miniprogrampage"] = "miniprogrampage"
    """The kind of message."""
    via: Annotated[Literal["customer_service"], BeforeValidator(_never_passive)]
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    title: Annotated[Line, Field(max_length=MAX_TITLE_CHARACTERS)]
    """The title of the card."""
    appid: Annotated[str, Field(pattern=r"^wx[0-9a-f]{16}$")]
    """The AppID of the mini-program."""
    pagepath: Annotated[Line, AfterValidator(_as_in_app_json)]
    """A page of the released version, case-sensitive; it may have a query."""
    thumb: MediaSource
    """A picture; WeChat recommends 520 x 416 pixels."""
    otherwise: Content | None = Field(default=None, exclude_if=absent)
    """A text, with placeholders and mini-program links, that the response to the push says instead
    if it is known then that the card can't be sent; and that a person gets for whom there is no
    code any more, if the page has `{code}`.
    """

    @property
    def text_instead(self) -> Text | None:
        """The passive text of `otherwise`."""
        if self.otherwise is None:
            return None
        return Text.model_construct(via="passive", content=self.otherwise)
