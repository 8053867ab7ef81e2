"""The types of buttons: which members each needs, and which event a tap causes. Pure.

Source: linkage 1.2.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ButtonType(StrEnum):
    """What a tap does. Source: linkage 1.2."""

    CLICK = "click"
    VIEW = "view"
    MINIPROGRAM = "miniprogram"
    SCANCODE_PUSH = "scancode_push"
    SCANCODE_WAITMSG = "scancode_waitmsg"
    PIC_SYSPHOTO = "pic_sysphoto"
    PIC_PHOTO_OR_ALBUM = "pic_photo_or_album"
    PIC_WEIXIN = "pic_weixin"
    LOCATION_SELECT = "location_select"
    MEDIA_ID = "media_id"
    VIEW_LIMITED = "view_limited"
    ARTICLE_ID = "article_id"
    ARTICLE_VIEW_LIMITED = "article_view_limited"


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """members: that a button of the type needs. event: that a tap pushes; None: no event comes.

    event_key: the member that the EventKey of the event repeats.
    """

    members: tuple[str, ...]
    event: str | None = None
    event_key: str | None = None


def _keyed(event: str) -> TypeFacts:
    return TypeFacts(("key",), event, "key")


TYPES: Final = {
    ButtonType.CLICK: _keyed("CLICK"),
    ButtonType.VIEW: TypeFacts(("url",), "VIEW", "url"),
    ButtonType.MINIPROGRAM: TypeFacts(("url", "appid", "pagepath"), "view_miniprogram", "pagepath"),
    ButtonType.SCANCODE_PUSH: _keyed("scancode_push"),
    ButtonType.SCANCODE_WAITMSG: _keyed("scancode_waitmsg"),
    ButtonType.PIC_SYSPHOTO: _keyed("pic_sysphoto"),
    ButtonType.PIC_PHOTO_OR_ALBUM: _keyed("pic_photo_or_album"),
    ButtonType.PIC_WEIXIN: _keyed("pic_weixin"),
    ButtonType.LOCATION_SELECT: _keyed("location_select"),
    ButtonType.MEDIA_ID: TypeFacts(("media_id",)),
    ButtonType.VIEW_LIMITED: TypeFacts(("media_id",)),
    ButtonType.ARTICLE_ID: TypeFacts(("article_id",)),
    ButtonType.ARTICLE_VIEW_LIMITED: TypeFacts(("article_id",)),
}
# All members that some type needs, in the order in which they are shown.
ACTION_MEMBERS: Final = ("key", "url", "appid", "pagepath", "media_id", "article_id")
