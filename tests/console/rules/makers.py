"""Rules of every kind, as `/api/rules` takes them, and the forms that pages show."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from tests.service import APPID, card, text_reply

Json = dict[str, Any]

TRIGGERS: dict[str, Json] = {
    "text": {
        "on": "text",
        "match": "any",
        "keywords": ["优惠", "coupon", "<b>&amp;"],
        "not": True,
        "raw": True,
        "voice": True,
    },
    "msgmenu": {"on": "msgmenu", "id": "101"},
    "unsupported": {"on": "unsupported"},
    "subscribe": {"on": "subscribe", "scene_prefix": "shop-"},
    "unsubscribe": {"on": "unsubscribe"},
    "scan": {"on": "scan", "scene": "shop-1"},
    "click": {"on": "click", "key": "V1001"},
    "view": {"on": "view", "url": "https://example.com/a?b=1&c=2"},
    "view_miniprogram": {"on": "view_miniprogram", "pagepath_prefix": "pages/"},
    "subscribe_msg": {"on": "subscribe_msg", "template": "T1", "status": "reject"},
    "location": {"on": "location", "latitude": 31.2, "longitude": -121, "radius_metres": 500},
    "event": {"on": "event", "name": "user_enter_tempsession"},
    "fallback": {"on": "fallback"},
}
_CS: Json = {"via": "customer_service"}
REPLIES: dict[str, Json] = {
    "text": text_reply("one\ntwo {account}"),
    "image": {"msgtype": "image", "media": {"file": "shop.jpg"}, **_CS},
    "voice": {"msgtype": "voice", "media": {"media_id": "M1"}, "via": "passive"},
    "video": {
        "msgtype": "video",
        "media": {"media_id": "M1"},
        "thumb": {"url": "https://example.com/a.jpg"},
        "title": "T",
        "description": "D",
        **_CS,
    },
    "music": {
        "msgtype": "music",
        "thumb": {"media_id": "M1"},
        "title": "T",
        "description": "D",
        "musicurl": "https://example.com/a.mp3",
        "hqmusicurl": "https://example.com/b.mp3",
        **_CS,
    },
    "news": {
        "msgtype": "news",
        "articles": [
            {
                "title": "T",
                "description": "D",
                "url": "https://example.com",
                "picurl": "https://example.com/a.jpg",
            }
        ],
        **_CS,
    },
    "miniprogrampage": card("商城"),
    "msgmenu": {
        "msgtype": "msgmenu",
        "head_content": "How?",
        "list": [{"id": "1", "content": "good"}, {"id": "2", "content": "bad"}],
        "tail_content": "Thanks",
        **_CS,
    },
    "mpnewsarticle": {"msgtype": "mpnewsarticle", "article_id": "A1", **_CS},
    "wxcard": {"msgtype": "wxcard", "card_id": "C1", **_CS},
    "transfer_customer_service": {
        "msgtype": "transfer_customer_service",
        "via": "passive",
        "kf_account": "kf@x",
    },
}
CONDITIONS: Json = {
    "from": "2026-11-24T12:00:00+08:00",
    "until": "2027-01-01T00:00:30+08:00",
    "hours": {"start": "09:00", "end": "24:00", "tz": "Europe/Berlin", "days": [1, 7]},
    "follower": {"state": "following", "min_age_seconds": 1, "max_age_seconds": 99},
    "unionid": "known",
    "cooldown_seconds": 60,
    "share": {"percent": 12.5, "salt": "b"},
}
UTM: Json = {"source": "a", "medium": "b", "campaign": "c", "term": "d", "content": "e"}


def rule_with(**changes: object) -> Json:
    """Return a rule as it is posted."""
    return {
        "name": "Shop",
        "appid": APPID,
        "enabled": False,
        "priority": -3,
        "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
        "replies": [text_reply()],
        **changes,
    }


class Form(HTMLParser):
    """What a browser would send of the form with an id."""

    def __init__(self, html: str, form_id: str = "rule-form") -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._id = form_id
        self._inside = False
        self._select: str | None = None
        self._area: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the value of a field."""
        given: Mapping[str, str] = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id") == self._id
        if not self._inside:
            return
        name = given.get("name")
        if tag == "input" and name and given.get("type") != "file":
            is_box = given.get("type") in {"checkbox", "radio"}
            if not is_box or "checked" in given:
                self.values[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self.values:
                self.values[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._area, self.values[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        """Leave a field."""
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """Take the text of an area; HTML drops the line break that begins it."""
        if self._area is not None:
            so_far = self.values[self._area]
            self.values[self._area] = so_far + (data if so_far else data.removeprefix("\n"))
