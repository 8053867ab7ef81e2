"""Converts replies of the WeChat console into replies of a rule. Pure.

The functions call `skip` with one line for each thing that can't be converted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from app.rules.definition.schemas import MAX_REPLIES
from app.rules.definition.validation_errors import describe
from app.wechat.outbound import News, Text

Skip = Callable[[str], None]
Json = Mapping[str, Any]

_UNKNOWN_SHAPE: Final = "of an unknown shape"
_MEDIA: Final = {"img": "image", "voice": "voice", "video": "video"}


def replies_in(value: object, skip: Skip) -> Iterator[Text | News]:
    """Yield the replies that can be converted, all of them passive."""
    for item in objects_in(value, "replies", skip):
        try:
            reply = _reply(item, skip)
        except ValidationError as error:
            skip(f"a reply of the type {item.get('type')}: {describe(error)}")
        else:
            if reply is not None:
                yield reply


def reply_limit(rule: Json, skip: Skip) -> int:
    """Return how many replies of a console rule are kept: of `random_one` the first alone."""
    replies = rule.get("reply_list_info")
    if rule.get("reply_mode") != "random_one" or not isinstance(replies, list) or not replies[1:]:
        return MAX_REPLIES
    skip(
        f"sent one of {len(replies)} replies at random; the first one that can be imported is kept"
    )
    return 1


def listed_in(value: object, what: str, skip: Skip) -> Sequence[Json]:
    """Return the objects in the member `list` of `value`, or in `value` if it is a list itself."""
    return objects_in(value.get("list", value) if isinstance(value, dict) else value, what, skip)


def objects_in(value: object, what: str, skip: Skip) -> Sequence[Json]:
    """Return the objects in a list; everything else that is not empty is skipped.

    what: what the list holds, in the plural.
    """
    if not isinstance(value, list):
        if value:
            skip(f"{what} {_UNKNOWN_SHAPE}")
        return []
    found = [item for item in value if isinstance(item, dict)]
    if len(found) < len(value):
        skip(f"{len(value) - len(found)} {what} {_UNKNOWN_SHAPE}")
    return found


def _reply(value: Json, skip: Skip) -> Text | News | None:
    kind, content = str(value.get("type")), value.get("content")
    if kind == "news":
        return _news(value.get("news_info"), skip)
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


def _news(value: object, skip: Skip) -> News | None:
    articles = listed_in(value, "articles", skip)
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
    present = {name: value for name, value in members.items() if value is not None}
    return News.model_validate({"via": "passive", "articles": [present]})
