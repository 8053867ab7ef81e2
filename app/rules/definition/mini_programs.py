"""Finds the mini-programs that a reply opens. Pure."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from app.wechat.outbound import Message, MiniProgramPage, Text

_LINK_APPID: Final = re.compile(r"""data-miniprogram-appid\s*=\s*["']?([^"'\s>]*)""")


def opened_mini_programs(reply: Message) -> tuple[str, list[str]]:
    """Return the member of a reply that names mini-programs, and their AppIDs."""
    match reply:
        case MiniProgramPage():
            return "appid", [reply.appid]
        case Text():
            return "content", _LINK_APPID.findall(reply.content)
        case _:
            return "", []


def unknown_mini_program(replies: Iterable[Message], known: Collection[str]) -> str | None:
    """Return the first AppID that replies open and that is not in `known`; empty: any is known."""
    if not known:
        return None
    opened = (appid for reply in replies for appid in opened_mini_programs(reply)[1])
    return next((appid for appid in opened if appid not in known), None)
