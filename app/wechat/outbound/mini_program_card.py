"""The mini-program card. Source: protocol 5 and 6.3."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from app.wechat.outbound.base import Line, MediaSource
from app.wechat.outbound.otherwise import Queueable

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


class MiniProgramPage(Queueable):
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
