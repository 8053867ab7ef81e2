"""What opens a short URL: a phone, a desktop, or something that only looks ahead. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Visitor(StrEnum):
    """What a request comes from. WeChat itself counts as a phone: it opens URL Links."""

    PHONE = "phone"
    DESKTOP = "desktop"
    PREVIEW = "preview"


MAX_AGENT: Final = 500
MAX_KNOWN_AGENTS: Final = 2_000
# Robots name themselves: a word that ends in "bot" before its version, "spider", "crawler", or the
# program that they are. CUBOT is the name of a phone, and stands before a blank.
_ROBOT: Final = re.compile(
    r"bot(?:[/;\-+)]| \(like|$)|spider|crawler|facebookexternalhit|facebookcatalog|whatsapp/|"
    r"slurp|lighthouse|headlesschrome|mediapartners|feedfetcher|google-inspectiontool|ia_archiver|"
    r"preview|^(?:curl|wget|python|go-http-client|java|libwww|okhttp|node|axios|httpx|ruby|php)\b",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(
    r"micromessenger|android|iphone|ipad|ipod|harmony|mobile|phone", re.IGNORECASE
)
_AHEAD: Final = ("purpose", "sec-purpose", "x-purpose", "x-moz")


def visitor_of(method: str, headers: Mapping[str, str]) -> Visitor:
    """Return what a request comes from. headers: with names in lower case."""
    agent = headers.get("user-agent", "")[:MAX_AGENT]
    if method == "HEAD" or _looks_ahead(headers):
        return Visitor.PREVIEW
    return _visitor_by(agent)


# Few programs open most links, and the search takes a third of an open.
@lru_cache(maxsize=MAX_KNOWN_AGENTS)
def _visitor_by(agent: str) -> Visitor:
    if not agent or _ROBOT.search(agent):
        return Visitor.PREVIEW
    return Visitor.PHONE if _PHONE.search(agent) else Visitor.DESKTOP


def _looks_ahead(headers: Mapping[str, str]) -> bool:
    values = (headers.get(name, "").lower() for name in _AHEAD)
    return any("prefetch" in value or "preview" in value for value in values)
