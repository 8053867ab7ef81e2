"""Example bodies of `/api/menus` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

_MENU: Final = {
    "button": [
        {"name": "积分", "type": "click", "key": "points"},
        {
            "name": "商城",
            "sub_button": [
                {
                    "name": "进店",
                    "type": "miniprogram",
                    "url": "https://m.example.com/shop",
                    "appid": "wx0123456789abcdef",
                    "pagepath": "pages/shop/index?ref={ref}",
                },
                {"name": "活动", "type": "view", "url": "https://m.example.com/sale"},
            ],
        },
    ],
    "conditional": [
        {
            "matchrule": {"tag_id": "108"},
            "button": [{"name": "会员日", "type": "click", "key": "vip"}],
        }
    ],
    "utm": {"source": "menu"},
}
DRAFTS: Final[dict[str, Example]] = {
    "shop": {"summary": "A shop, and a menu for members", "value": {"menu": _MENU}}
}
MENUS: Final[dict[str, Example]] = {
    "shop": {"summary": "A shop, and a menu for members", "value": _MENU}
}
REVISIONS: Final[dict[str, Example]] = {
    "draft": {"summary": "The draft that was read", "value": {"revision": 1}}
}
FOLLOWERS: Final[dict[str, Example]] = {
    "follower": {"summary": "One follower", "value": {"openid": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV"}}
}
