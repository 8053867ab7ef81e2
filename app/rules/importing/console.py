"""Converts the automatic replies of the WeChat console into rules. Pure.

The input is the response of get_current_autoreply_info. Members that are not understood are
listed and never guessed; empty members are ignored. Source: the platform's page "Getting rules for
auto replies".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from app.rules.definition.schemas import MAX_REPLIES
from app.rules.definition.validation_errors import describe
from app.rules.importing.console_replies import Json, listed_in, objects_in, replies_in, reply_limit
from app.rules.importing.document import ImportedRule
from app.rules.text.normalize import normalise
from app.wechat.outbound import Text

# The console sends its default reply to a follower at most once an hour.
DEFAULT_REPLY_COOLDOWN_SECONDS: Final = 3600


@dataclass(slots=True)
class Conversion:
    """The converted rules, and one line for each thing that could not be converted."""

    rules: list[ImportedRule] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def skip(self, name: str, what: str) -> None:
        """Add a line about the rule of this name."""
        self.skipped.append(f"{name}: {what}")


def rules_from_console(response: Json, appid: str) -> Conversion:
    """Convert the keyword, welcome and default replies of an account."""
    conversion = Conversion()
    welcomes = bool(response.get("is_add_friend_reply_open", 1))
    answers = bool(response.get("is_autoreply_open", 1))
    welcome, default = (
        response.get("add_friend_autoreply_info"),
        response.get("message_default_autoreply_info"),
    )
    if welcome:
        _add_rule(
            conversion, "Console: welcome", appid, {"on": "subscribe"}, [welcome], enabled=welcomes
        )
    if default:
        conditions = {"cooldown_seconds": DEFAULT_REPLY_COOLDOWN_SECONDS}
        _add_rule(
            conversion,
            "Console: default",
            appid,
            {"on": "fallback"},
            [default],
            enabled=answers,
            conditions=conditions,
        )
    rules = listed_in(
        response.get("keyword_autoreply_info"),
        "keyword rules",
        partial(conversion.skip, "Console"),
    )
    for number, rule in enumerate(rules, 1):
        _convert_keyword_rule(conversion, rule, number, appid, enabled=answers)
    return conversion


def _convert_keyword_rule(
    conversion: Conversion, rule: Json, number: int, appid: str, *, enabled: bool
) -> None:
    name = f"Console: {rule.get('rule_name') or number}"
    replies = rule.get("reply_list_info")
    limit = reply_limit(rule, partial(conversion.skip, name))
    triggers = list(_triggers(conversion, name, rule))
    if not triggers:
        conversion.skip(name, "has no keyword that can be imported")
    for trigger in triggers:
        suffix = "" if trigger["match"] == "any" else f" = {trigger['keyword']}"
        _add_rule(
            conversion, f"{name}{suffix}", appid, trigger, replies, enabled=enabled, limit=limit
        )


def _triggers(conversion: Conversion, name: str, rule: Json) -> Iterator[dict[str, Any]]:
    skip = partial(conversion.skip, name)
    contained: dict[str, str] = {}
    whole: set[str] = set()
    for item in objects_in(rule.get("keyword_list_info"), "keywords", skip):
        keyword, mode = item.get("content"), item.get("match_mode")
        if item.get("type", "text") != "text" or not isinstance(keyword, str):
            skip("a keyword that is not text")
        elif not normalise(keyword):
            skip("a keyword that is blank")
        elif mode == "contain":
            contained.setdefault(normalise(keyword), keyword)
        elif mode != "equal":
            skip(f"the keyword {keyword}: its match_mode {mode} is not known")
        elif normalise(keyword) not in whole:
            whole.add(normalise(keyword))
            yield {"on": "text", "match": "exact", "keyword": keyword}
    if contained:
        yield {"on": "text", "match": "any", "keywords": [*contained.values()]}


def _add_rule(
    conversion: Conversion,
    name: str,
    appid: str,
    trigger: Json,
    listed: object,
    *,
    enabled: bool,
    conditions: Json | None = None,
    limit: int = MAX_REPLIES,
) -> None:
    convertible = replies_in(listed, partial(conversion.skip, name))
    replies = list(convertible if limit > 1 else islice(convertible, limit))
    if not replies:
        conversion.skip(name, "has no reply that can be imported")
        return
    # One reply is passive: the first text, or else the first reply.
    passive = next((n for n, reply in enumerate(replies) if isinstance(reply, Text)), 0)
    if len(replies) > MAX_REPLIES:
        conversion.skip(name, f"{len(replies) - MAX_REPLIES} replies too many")
    document = {
        "name": _free_name(conversion, name),
        "appid": appid,
        "enabled": enabled,
        "trigger": trigger,
        "replies": [
            reply if number == passive else reply.model_copy(update={"via": "customer_service"})
            for number, reply in enumerate(replies[:MAX_REPLIES])
        ],
        **({} if conditions is None else {"conditions": conditions}),
    }
    try:
        conversion.rules.append(ImportedRule.model_validate(document))
    except ValidationError as error:
        conversion.skip(name, describe(error))


def _free_name(conversion: Conversion, name: str) -> str:
    """Return the name, followed by a number if another rule already has it."""
    taken = {rule.name for rule in conversion.rules}
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)
