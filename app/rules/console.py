"""The console's automatic replies as rules, and what could not be carried over. Pure.

The shape is that of get_current_autoreply_info, read leniently: what is not understood is listed,
never guessed. Source: the platform's page "Getting rules for auto replies".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from app.rules.importing import ImportedRule
from app.rules.problems import describe
from app.rules.schemas import MAX_REPLIES
from app.rules.typed import normalise

# The console's default reply comes once an hour, however much a follower writes.
DEFAULT_REPLY_COOLDOWN_SECONDS: Final = 3600
_KINDS: Final = {"text": "text", "img": "image", "voice": "voice", "video": "video"}

_Json = Mapping[str, Any]


@dataclass(slots=True)
class Carried:
    """Rules, and one line for each thing that is missing in them."""

    rules: list[ImportedRule] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def rules_from_console(told: _Json, appid: str) -> Carried:
    """Return the keyword, welcome and default replies of an account."""
    carried = Carried()
    welcome, default = (
        told.get("add_friend_autoreply_info"),
        told.get("message_default_autoreply_info"),
    )
    if isinstance(welcome, dict):
        enabled = bool(told.get("is_add_friend_reply_open", 1))
        _carry(carried, "Console: welcome", appid, {"on": "subscribe"}, [welcome], enabled=enabled)
    if isinstance(default, dict):
        conditions = {"cooldown_seconds": DEFAULT_REPLY_COOLDOWN_SECONDS}
        enabled = bool(told.get("is_autoreply_open", 1))
        _carry(
            carried,
            "Console: default",
            appid,
            {"on": "fallback"},
            [default],
            enabled=enabled,
            conditions=conditions,
        )
    for number, rule in enumerate(_list(told.get("keyword_autoreply_info")), 1):
        _carry_keywords(
            carried, rule, number, appid, enabled=bool(told.get("is_autoreply_open", 1))
        )
    return carried


def _carry_keywords(
    carried: Carried, rule: _Json, number: int, appid: str, *, enabled: bool
) -> None:
    name = f"Console: {rule.get('rule_name') or number}"
    replies = [item for item in rule.get("reply_list_info") or () if isinstance(item, dict)]
    most = MAX_REPLIES
    if rule.get("reply_mode") == "random_one" and len(replies) > 1:
        carried.left_out.append(
            f"{name}: sent one of {len(replies)} replies at random; the first one that can be "
            "carried over is kept"
        )
        most = 1
    for trigger in _triggers(carried, name, rule):
        suffix = "" if trigger["match"] == "any" else f" = {trigger['keyword']}"
        _carry(carried, f"{name}{suffix}", appid, trigger, replies, enabled=enabled, most=most)


def _triggers(carried: Carried, name: str, rule: _Json) -> Iterator[dict[str, Any]]:
    contained: dict[str, str] = {}
    whole: set[str] = set()
    for item in rule.get("keyword_list_info") or ():
        keyword = item.get("content") if isinstance(item, dict) else None
        if not isinstance(keyword, str) or item.get("type", "text") != "text":
            carried.left_out.append(f"{name}: a keyword that is no text")
        elif item.get("match_mode") != "equal":
            contained.setdefault(normalise(keyword), keyword)
        elif normalise(keyword) not in whole:
            whole.add(normalise(keyword))
            yield {"on": "text", "match": "exact", "keyword": keyword}
    if contained:
        yield {"on": "text", "match": "any", "keywords": [*contained.values()]}


def _carry(
    carried: Carried,
    name: str,
    appid: str,
    trigger: _Json,
    told: Sequence[_Json],
    *,
    enabled: bool,
    conditions: _Json | None = None,
    most: int = MAX_REPLIES,
) -> None:
    carriable = (reply for item in told if (reply := _reply(carried, name, item)) is not None)
    replies = list(carriable if most > 1 else islice(carriable, most))
    if not replies:
        carried.left_out.append(f"{name}: has no reply that could be carried over")
        return
    passive = next((n for n, reply in enumerate(replies) if reply["msgtype"] == "text"), 0)
    for number, reply in enumerate(replies):
        reply["via"] = "passive" if number == passive else "customer_service"
    if len(replies) > MAX_REPLIES:
        carried.left_out.append(f"{name}: {len(replies) - MAX_REPLIES} replies too many")
    document = {
        "name": _free_name(carried, name),
        "appid": appid,
        "enabled": enabled,
        "trigger": trigger,
        "replies": replies[:MAX_REPLIES],
        **({} if conditions is None else {"conditions": conditions}),
    }
    try:
        carried.rules.append(ImportedRule.model_validate(document))
    except ValidationError as error:
        carried.left_out.append(f"{name}: {describe(error)}")


def _free_name(carried: Carried, name: str) -> str:
    """Return the name, with a number behind it if another rule has it already."""
    taken = {rule.name for rule in carried.rules}
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)


def _reply(carried: Carried, name: str, told: _Json) -> dict[str, Any] | None:
    kind = told.get("type")
    if kind == "text" and isinstance(told.get("content"), str):
        content: str = told["content"]
        return {
            "msgtype": "text",
            "content": content.replace("{", "{{").replace("}", "}}"),
        }
    if kind == "news":
        return _news(carried, name, told)
    if kind in _KINDS:
        carried.left_out.append(
            f"{name}: {_KINDS[kind]} {told.get('content')}: its media id ends within 3 days; put "
            "the file into the media folder and add the reply"
        )
        return None
    carried.left_out.append(f"{name}: a reply of the unknown type {kind}")
    return None


def _news(carried: Carried, name: str, told: _Json) -> dict[str, Any] | None:
    articles = _list(told.get("news_info"))
    if not articles:
        carried.left_out.append(f"{name}: news without articles")
        return None
    if len(articles) > 1:
        carried.left_out.append(
            f"{name}: {len(articles) - 1} further articles; WeChat takes one now"
        )
    article = articles[0]
    return {
        "msgtype": "news",
        "articles": [
            {
                "title": article.get("title"),
                "description": article.get("digest") or article.get("title"),
                "url": article.get("content_url"),
                "picurl": article.get("cover_url"),
            }
        ],
    }


def _list(told: object) -> list[_Json]:
    found = told.get("list") if isinstance(told, dict) else None
    return [item for item in found or () if isinstance(item, dict)]
