"""The drafts of articles, and which content they may have. Source: linkage 12.1, 12.2."""

import html
import re
import secrets
from collections import defaultdict
from dataclasses import dataclass, field

from simulator.errors import ApiError

MAX_TITLE = 32
MAX_DIGEST = 120
MAX_CONTENT = 20_000
MAX_SOURCE_URL = 1024
MAX_CARD_TITLE = 35
CARD = re.compile(r"<mp-common-miniprogram ([^>]*)>")
IMAGE_LINK = re.compile(r"<a [^>]*data-miniprogram-appid[^>]*><img ")
CARD_TITLE = re.compile(r'data-miniprogram-title="([^"]*)"')


@dataclass(slots=True)
class DraftStore:
    """The drafts of each account by media_id.

    refused: the forms (`card`, `image`) that this WeChat does not take in a content. Which ones it
    takes is not documented.
    """

    refused: set[str] = field(default_factory=set)
    of: defaultdict[str, dict[str, dict[str, object]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, appid: str, article: dict[str, object]) -> str:
        """Check and keep one article; return its media_id. Raises ApiError."""
        check(article, self.refused)
        media_id = secrets.token_urlsafe(48)
        self.of[appid][media_id] = article
        return media_id


def check(article: dict[str, object], refused: set[str]) -> None:
    """Raise ApiError for what WeChat refuses in an article."""
    title, content = text(article, "title"), text(article, "content")
    if not title or len(title) > MAX_TITLE:
        raise ApiError(45003)
    if len(text(article, "digest")) > MAX_DIGEST:
        raise ApiError(45004)
    if len(text(article, "content_source_url").encode()) > MAX_SOURCE_URL:
        raise ApiError(41039)
    if not text(article, "thumb_media_id"):
        raise ApiError(40007)
    if not content:
        raise ApiError(44004)
    if len(content) >= MAX_CONTENT:
        raise ApiError(45002)
    check_content(content, refused)


def check_content(content: str, refused: set[str]) -> None:
    """Raise ApiError 45166 for a mini-program in a form that is not taken."""
    for card in CARD.finditer(content):
        title = CARD_TITLE.search(card[1])
        if "card" in refused or title is None or len(html.unescape(title[1])) > MAX_CARD_TITLE:
            raise ApiError(45166)
    if "image" in refused and IMAGE_LINK.search(content):
        raise ApiError(45166)


def text(article: dict[str, object], member: str) -> str:
    """Return a member of an article; empty if it is missing. Raises ApiError 47001."""
    value = article.get(member, "")
    if not isinstance(value, str):
        raise ApiError(47001)
    return value
