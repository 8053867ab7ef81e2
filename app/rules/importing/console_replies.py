"""Replies of the console as replies of a rule: each by itself, and why the others are none. Pure.

What is left out is told to a function that takes one line for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from app.rules.definition.validation_errors import describe
from app.wechat.outbound import News, Text

LeaveOut = Callable[[str], None]
Json = Mapping[str, Any]

_UNKNOWN_SHAPE: Final = "of a shape that is not known here"
_MEDIA: Final = {"img": "image", "voice": "voice", "video": "video"}


def replies_in(told: object, skip: LeaveOut) -> Iterator[Text | News]:
    """Yield the replies that can be carried over, all of them passive."""
    for item in objects_in(told, "replies", skip):
        try:
            reply = _reply(item, skip)
        except ValidationError as error:
            skip(f"a reply of the type {item.get('type')}: {describe(error)}")
        else:
            if reply is not None:
                yield reply


def listed_in(told: object, what: str, skip: LeaveOut) -> Sequence[Json]:
    """Return the objects that stand under `list`."""
    return objects_in(told.get("list", told) if isinstance(told, dict) else told, what, skip)


def objects_in(told: object, what: str, skip: LeaveOut) -> Sequence[Json]:
    """Return the objects of a list; anything else, unless it is empty, is left out.

    what: what they are.
    """
    if not isinstance(told, list):
        if told:
            skip(f"{what} {_UNKNOWN_SHAPE}")
        return []
    found = [item for item in told if isinstance(item, dict)]
    if len(found) < len(told):
        skip(f"{len(told) - len(found)} {what} {_UNKNOWN_SHAPE}")
    return found


def _reply(told: Json, skip: LeaveOut) -> Text | News | None:
    kind, content = str(told.get("type")), told.get("content")
    if kind == "news":
        return _news(told.get("news_info"), skip)
    if kind != "text" and kind not in _MEDIA:
        skip(f"a reply of the unknown type {kind}")
    elif not isinstance(content, str) or not content.strip():
        skip(f"a reply of the type {kind}: has no content")
    elif kind == "text":
        return Text(via="passive", content=content.replace("{", "{{").replace("}", "}}"))
    else:
        skip(
            f"{_MEDIA[kind]} {content}: its media id ends within 3 days; put the file into the "
            "media folder and add the reply"
        )
    return None


def _news(told: object, skip: LeaveOut) -> News | None:
    articles = listed_in(told, "articles", skip)
    if not articles:
        skip("news without articles")
        return None
    if len(articles) > 1:
        skip(f"{len(articles) - 1} further articles; WeChat takes one now")
    article = articles[0]
    members = {
        "title": article.get("title"),
        "description": article.get("digest") or article.get("title"),
        "url": article.get("content_url"),
        "picurl": article.get("cover_url"),
    }
    given = {name: value for name, value in members.items() if value is not None}
    return News.model_validate({"via": "passive", "articles": [given]})
