"""Examples of bodies in the OpenAPI document. Each works as it stands; a test sends them all."""

from typing import Any, Final

Example = dict[str, Any]

_WELCOME: Final[Example] = {
    "name": "Welcome",
    "trigger": {"on": "subscribe"},
    "replies": [
        {"msgtype": "text", "via": "passive", "content": "欢迎关注！回复“商城”打开我们的小程序。"}
    ],
}
_HOURS: Final[Example] = {
    "name": "Opening hours",
    "trigger": {"on": "text", "match": "contains", "keyword": "营业时间"},
    "replies": [{"msgtype": "text", "via": "passive", "content": "每天 9:00–21:00"}],
}
_CARD: Final[Example] = {
    "name": "Shop",
    "priority": 200,
    "trigger": {"on": "text", "match": "any", "keywords": ["商城", "shop"]},
    "conditions": {"cooldown_seconds": 60},
    "replies": [
        {
            "msgtype": "miniprogrampage",
            "via": "customer_service",
            "title": "打开商城",
            "appid": "wx0123456789abcdef",
            "pagepath": "pages/index/index?from={ref}",
            "thumb": {"url": "https://www.example.com/shop.jpg"},
        }
    ],
    "utm": {"source": "wechat", "campaign": "keyword"},
}

RULES: Final[dict[str, Example]] = {
    "text": {"summary": "A text answers a keyword", "value": _HOURS},
    "welcome": {"summary": "A welcome for new followers", "value": _WELCOME},
    "card": {
        "summary": "A mini-program card answers two keywords",
        "description": "Put in the AppID and a page of a mini-program that is linked to the "
        "Official Account, and the address of a picture.",
        "value": _CARD,
    },
}
QUESTIONS: Final[dict[str, Example]] = {
    "text": {"summary": "Which rules answer a text", "value": {"text": "商城"}},
    "follow": {
        "summary": "Which rules answer a follow",
        "value": {"message": {"Event": "subscribe"}},
    },
    "scan": {
        "summary": "Which rules answer the scan of a QR code at a time",
        "value": {
            "message": {"Event": "SCAN", "EventKey": "store_0042"},
            "at": "2026-11-24T12:00:00+08:00",
        },
    },
}
IMPORTS: Final[dict[str, Example]] = {
    "rules": {"summary": "The whole set of rules", "value": {"rules": [_HOURS, _WELCOME]}}
}
IMPORTS_AS_YAML: Final[dict[str, Example]] = {
    "rules": {
        "summary": "The whole set of rules",
        "value": (
            "rules:\n"
            "- name: Welcome\n"
            "  trigger: {on: subscribe}\n"
            "  replies:\n"
            "  - {msgtype: text, via: passive, content: 欢迎关注！}\n"
        ),
    }
}
