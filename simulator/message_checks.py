"""Checks the content of customer-service messages. Source: protocol 6.2 and 6.3."""

from collections.abc import Callable

from simulator.accounts import Account
from simulator.callers import JsonObject
from simulator.errors import ApiError
from simulator.media import Media

TEXT_LIMIT_BYTES = 2047
NEWS_LIMIT = 1

REQUIRED = {
    "text": ("content",),
    "image": ("media_id",),
    "voice": ("media_id",),
    "video": ("media_id", "thumb_media_id"),
    "music": ("musicurl", "thumb_media_id"),
    "news": ("articles",),
    "mpnews": ("media_id",),
    "mpnewsarticle": ("article_id",),
    "msgmenu": ("list",),
    "wxcard": ("card_id",),
    "miniprogrampage": ("title", "appid", "pagepath", "thumb_media_id"),
}
MISSING = {
    "content": 44004,
    "articles": 44003,
    "media_id": 41006,
    "thumb_media_id": 41006,
    "appid": 41002,
}
MEDIA_FIELDS = ("media_id", "thumb_media_id")
PICTURES = ("image", "thumb")

TakeMedia = Callable[[object], Media]


def content_of(message: JsonObject, account: Account, take_media: TakeMedia) -> JsonObject:
    """Return the object named by msgtype. Raises ApiError for what WeChat would refuse.

    take_media: returns the valid file of the account with an id, or raises ApiError 40007.
    """
    msgtype = message.get("msgtype")
    if not isinstance(msgtype, str) or msgtype not in REQUIRED:
        raise ApiError(40008)
    content = message.get(msgtype)
    if not isinstance(content, dict):
        raise ApiError(47001)
    for field in REQUIRED[msgtype]:
        if not content.get(field):
            raise ApiError(MISSING.get(field, 47001), field)
    if msgtype == "text":
        check_text(content)
    elif msgtype == "news":
        check_news(content)
    elif msgtype == "miniprogrampage":
        check_card(content, account)
    check_media(msgtype, content, take_media)
    return content


def check_text(content: JsonObject) -> None:
    """Raise ApiError 45002 for a text above 2047 bytes."""
    if len(str(content["content"]).encode()) > TEXT_LIMIT_BYTES:
        raise ApiError(45002)


def check_news(content: JsonObject) -> None:
    """Raise ApiError 45008 for more than one article."""
    articles = content["articles"]
    if not isinstance(articles, list):
        raise ApiError(47001)
    if len(articles) > NEWS_LIMIT:
        raise ApiError(45008)


def check_card(content: JsonObject, account: Account) -> None:
    """Raise ApiError 40166 for a mini-program that is not linked, 40165 for an unknown page."""
    appid, pagepath = str(content["appid"]), str(content["pagepath"])
    if appid not in account.linked_mini_programs:
        raise ApiError(40166)
    page = pagepath.split("?", 1)[0]
    pages = account.mini_program_pages.get(appid)
    if page.startswith("/") or (pages is not None and page not in pages):
        raise ApiError(40165)


def check_media(msgtype: str, content: JsonObject, take_media: TakeMedia) -> None:
    """Raise ApiError 40007 for an invalid media id, 40004 for one of the wrong type."""
    for field in MEDIA_FIELDS:
        if field not in REQUIRED[msgtype]:
            continue
        allowed = PICTURES if field == "thumb_media_id" else (msgtype,)
        if take_media(content[field]).type not in allowed:
            raise ApiError(40004)
