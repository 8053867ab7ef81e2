"""The questions of the test box: a message or an event as a follower causes it. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from app.console.messages import N_

Members = Mapping[str, Any]
STICKER: Final = "【收到不支持的消息类型，暂无法显示】"


class Asked(NamedTuple):
    """A kind of question. value: what is typed for it: a message; empty: nothing is."""

    label: str
    value: str
    members: Callable[[str], Members]


def _location(text: str) -> Members:
    latitude, _, longitude = text.replace("，", ",").partition(",")
    return {
        "MsgType": "location",
        "Location_X": latitude.strip() or "0",
        "Location_Y": longitude.strip() or "0",
        "Scale": "15",
        "Label": "",
    }


ASKED: Final[Mapping[str, Asked]] = {
    "text": Asked(N_("writes"), N_("Text"), lambda text: {"MsgType": "text", "Content": text}),
    "voice": Asked(N_("says"), N_("Text"), lambda text: {"MsgType": "voice", "Recognition": text}),
    "subscribe": Asked(
        N_("follows"),
        N_("Scene, if there is one"),
        lambda text: {"Event": "subscribe", "EventKey": f"qrscene_{text}" if text else ""},
    ),
    "scan": Asked(
        N_("scans a QR code"), N_("Scene"), lambda text: {"Event": "SCAN", "EventKey": text}
    ),
    "click": Asked(
        N_("taps on a menu item"),
        N_("Key of the menu item"),
        lambda text: {"Event": "CLICK", "EventKey": text},
    ),
    "view": Asked(
        N_("opens a page from the menu"),
        N_("Address of the page"),
        lambda text: {"Event": "VIEW", "EventKey": text},
    ),
    "view_miniprogram": Asked(
        N_("opens a mini-program from the menu"),
        N_("Page path of the mini-program"),
        lambda text: {"Event": "view_miniprogram", "EventKey": text},
    ),
    "location": Asked(N_("sends a place"), N_("Latitude, longitude"), _location),
    "unsupported": Asked(
        N_("sends a sticker"), "", lambda _: {"MsgType": "text", "Content": STICKER}
    ),
    "image": Asked(N_("sends a picture"), "", lambda _: {"MsgType": "image"}),
    "unsubscribe": Asked(N_("unfollows"), "", lambda _: {"Event": "unsubscribe"}),
    "event": Asked(
        N_("causes another event"), N_("Name of the event"), lambda text: {"Event": text or "-"}
    ),
}
