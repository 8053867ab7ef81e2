"""Reads the answers about what WeChat's console has: the menu, and automatic replies. Pure.

Members are read leniently, since only their presence matters. Source: linkage 1.5.
"""

from collections.abc import Mapping
from typing import Any

from app.wechat.read_response import number_of


def menu_state(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the custom menu is `open`, and its number of first-level `buttons`."""
    menu = response.get("selfmenu_info")
    buttons = menu.get("button") if isinstance(menu, Mapping) else None
    return {
        "open": number_of(response.get("is_menu_open")) != 0,
        "buttons": len(buttons) if isinstance(buttons, list) else 0,
    }


def replies_state(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the number of automatic replies, as `rules`: by keyword, to a follow, to the rest."""
    keywords = response.get("keyword_autoreply_info")
    listed = keywords.get("list") if isinstance(keywords, Mapping) else None
    others = ("add_friend_autoreply_info", "message_default_autoreply_info")
    number = len(listed) if isinstance(listed, list) else 0
    return {"rules": number + sum(isinstance(response.get(one), Mapping) for one in others)}
