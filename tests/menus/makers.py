"""Menus that tests publish."""

from tests.service import CARD_APPID, Json


def click(name: str = "积分", key: str = "points") -> Json:
    """Return a button with a key."""
    return {"type": "click", "name": name, "key": key}


def view(name: str = "官网", url: str = "https://www.example.com/") -> Json:
    """Return a button that opens a web page."""
    return {"type": "view", "name": name, "url": url}


def shop(name: str = "进店", pagepath: str = "pages/shop/index?ref={ref}") -> Json:
    """Return a button that opens a mini-program."""
    return {
        "type": "miniprogram",
        "name": name,
        "url": "https://m.example.com/shop",
        "appid": CARD_APPID,
        "pagepath": pagepath,
    }


def menu(*buttons: Json, conditional: list[Json] | None = None, **more: object) -> Json:
    """Return a document; without buttons, with one of each usual kind."""
    found = list(buttons) or [click(), {"name": "商城", "sub_button": [shop(), view()]}]
    return {"button": found, "conditional": conditional or [], **more}


def for_tag(tag_id: str, *buttons: Json, **matchrule: str) -> Json:
    """Return a conditional menu."""
    return {
        "matchrule": {"tag_id": tag_id, **matchrule},
        "button": list(buttons) or [click(f"会员{tag_id}", f"vip{tag_id}")],
    }
