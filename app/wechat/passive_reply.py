"""Passive replies: the reply inside the HTTP response. Source: protocol 5."""

import json
import re
from collections.abc import Mapping

from app.wechat.ids import OpenId
from app.wechat.inbound import Inbound, messages
from app.wechat.outbound import (
    Image,
    Message,
    Music,
    News,
    Text,
    TransferCustomerService,
    Video,
    Voice,
)
from app.wechat.outbound.base import with_line_feeds
from app.wechat.outbound.messages import MAX_ARTICLES
from app.wechat.outbound.otherwise import MAX_TEXT_BYTES
from app.wechat.push_format import Format
from app.wechat.visible_text import cut
from app.wechat.xml_document import cdata, strip_illegal

_LINK = re.compile(rb"<a\b.*?</a>", re.DOTALL | re.IGNORECASE)
_ANSWERED_WITH_ONE_ARTICLE = (
    messages.Text,
    messages.Unsupported,
    messages.Image,
    messages.Voice,
    messages.Video,
    messages.ShortVideo,
    messages.Link,
    messages.Location,
)


def article_limit(message: Inbound) -> int:
    """Return how many articles a reply to this push may have: 1 or 8."""
    if isinstance(message, _ANSWERED_WITH_ONE_ARTICLE):
        return 1
    return MAX_ARTICLES["passive"]


def render(
    reply: Message,
    *,
    openid: OpenId,
    original_id: str,
    now: int,
    format: Format,
    max_articles: int = 1,
) -> str:
    """Return the response body, not yet encrypted: `contents` inside `address`.

    Raises ValueError for a message that is not passive.
    """
    inner = contents(reply, format, max_articles=max_articles)
    return address(inner, openid=openid, original_id=original_id, now=now, format=format)


def contents(reply: Message, format: Format, *, max_articles: int = 1) -> str:
    """Return the inner members of a response body, which are the same for every receiver.

    format: of the push. max_articles: `article_limit` of the push; further articles are left out.
    Raises ValueError for a message that is not passive.
    """
    if reply.via != "passive":
        raise ValueError(f"this {reply.msgtype} is no passive reply")
    tree = _without_none({"MsgType": reply.msgtype, **_contents(reply, max_articles)})
    if format is Format.JSON:
        # Unverified: WeChat prints no JSON sample of a reply. The members are those of the XML.
        return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return _xml(tree)


def address(inner: str, *, openid: OpenId, original_id: str, now: int, format: Format) -> str:
    """Return the response body, not yet encrypted: `inner` with its receiver and sender.

    inner: from `contents`, in the same format. openid: the sender of the push. original_id: the
    ToUserName of the push. now: Unix seconds.
    """
    if format is Format.JSON:
        names = {"ToUserName": openid, "FromUserName": original_id, "CreateTime": now}
        return f"{json.dumps(names, ensure_ascii=False, separators=(',', ':'))[:-1]},{inner}}}"
    return (
        f"<xml><ToUserName>{cdata(openid)}</ToUserName>"
        f"<FromUserName>{cdata(original_id)}</FromUserName>"
        f"<CreateTime>{now}</CreateTime>{inner}</xml>"
    )


def truncate(content: str) -> str:
    """Return the text without illegal characters, cut to at most MAX_TEXT_BYTES of UTF-8.

    Its lines end in line feeds. It is cut between two characters as a reader sees them, which is
    never inside an emoji, or before a link that would be cut in two.
    """
    text = with_line_feeds(strip_illegal(content))
    encoded = text.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return text
    end = MAX_TEXT_BYTES
    for link in _LINK.finditer(encoded):
        if link.start() < end < link.end():
            end = link.start()
    return cut(text, len(encoded[:end].decode(errors="ignore")))


def _contents(reply: Message, max_articles: int) -> Mapping[str, object]:
    contents: Mapping[str, object] = {}
    match reply:
        case Text():
            contents = {"Content": truncate(reply.content)}
        case Image() | Voice():
            contents = {reply.msgtype.capitalize(): {"MediaId": reply.media.media_id}}
        case Video():
            contents = {"Video": _video(reply)}
        case Music():
            contents = {"Music": _music(reply)}
        case News():
            contents = _news(reply, max_articles)
        case TransferCustomerService(kf_account=str(kf_account)):
            contents = {"TransInfo": {"KfAccount": kf_account}}
    return contents


def _video(video: Video) -> Mapping[str, object]:
    return {
        "MediaId": video.media.media_id,
        "Title": video.title,
        "Description": video.description,
    }


def _music(music: Music) -> Mapping[str, object]:
    return {
        "Title": music.title,
        "Description": music.description,
        "MusicUrl": music.musicurl,
        "HQMusicUrl": music.hqmusicurl,
        "ThumbMediaId": music.thumb.media_id,
    }


def _news(news: News, max_articles: int) -> Mapping[str, object]:
    articles = [
        {
            "Title": article.title,
            "Description": article.description,
            "PicUrl": article.picurl,
            "Url": article.url,
        }
        for article in news.articles[:max_articles]
    ]
    return {"ArticleCount": len(articles), "Articles": {"item": articles}}


def _without_none(tree: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in tree.items()
        if value is not None
    }


def _xml(tree: Mapping[str, object]) -> str:
    return "".join(_element(name, value) for name, value in tree.items())


def _element(name: str, value: object) -> str:
    match value:
        case str():
            return f"<{name}>{cdata(value)}</{name}>"
        case dict():
            return f"<{name}>{_xml(value)}</{name}>"
        case list():
            return "".join(_element(name, item) for item in value)
    return f"<{name}>{value}</{name}>"
