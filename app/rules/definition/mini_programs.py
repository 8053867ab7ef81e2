"""Finds the mini-programs that a reply opens. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from app.wechat.outbound import Message, MiniProgramPage, Text

_LINK_APPID: Final = re.compile(r"""data-miniprogram-appid\s*=\s*["']?([^"'\s>]*)""")


def opened_mini_programs(reply: Message) -> Iterator[tuple[str, str]]:
    """Yield the AppIDs of the mini-programs that a reply opens, each with the member that names it.

    The text that is said instead of it counts.
    """
    match reply:
        case MiniProgramPage():
            yield "appid", reply.appid
            for appid in _LINK_APPID.findall(reply.otherwise or ""):
                yield "otherwise", appid
        case Text():
            for appid in _LINK_APPID.findall(reply.content):
                yield "content", appid
            for appid in _LINK_APPID.findall(reply.otherwise or ""):
                yield "otherwise", appid


def unknown_mini_program(replies: Iterable[Message], known: Collection[str]) -> str | None:
    """Return the first AppID that replies open and that is not in `known`; empty: any is known."""
    if not known:
        return None
    opened = (appid for reply in replies for _, appid in opened_mini_programs(reply))
    return next((appid for appid in opened if appid not in known), None)
