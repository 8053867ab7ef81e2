"""The console's automatic replies as rules, and what could not be carried over. Pure.

The shape is that of get_current_autoreply_info, read leniently: what is not understood is listed,
never guessed; what is empty says nothing. Source: the platform's page "Getting rules for auto
replies".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final

from pydantic import ValidationError

from app.rules.definition.schemas import MAX_REPLIES
from app.rules.definition.validation_errors import describe
from app.rules.importing.console_replies import Json, listed_in, objects_in, replies_in
from app.rules.importing.plan import ImportedRule
from app.rules.text.normalize import normalise
from app.wechat.outbound import Text

# The console's default reply comes once an hour, however much a follower writes.
DEFAULT_REPLY_COOLDOWN_SECONDS: Final = 3600


@dataclass(slots=True)
class Conversion:
    """Rules, and one line for each thing that is missing in them."""

    rules: list[ImportedRule] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def skip(self, name: str, what: str) -> None:
        """Note what is missing in the rule of this name."""
        self.skipped.append(f"{name}: {what}")


def rules_from_console(told: Json, appid: str) -> Conversion:
    """Return the keyword, welcome and default replies of an account."""
    carried = Conversion()
    greets = bool(told.get("is_add_friend_reply_open", 1))
    answers = bool(told.get("is_autoreply_open", 1))
    welcome, default = (
        told.get("add_friend_autoreply_info"),
        told.get("message_default_autoreply_info"),
    )
    if welcome:
        _carry(carried, "Console: welcome", appid, {"on": "subscribe"}, [welcome], enabled=greets)
    if default:
        conditions = {"cooldown_seconds": DEFAULT_REPLY_COOLDOWN_SECONDS}
        _carry(
            carried,
            "Console: default",
            appid,
            {"on": "fallback"},
            [default],
            enabled=answers,
            conditions=conditions,
        )
    rules = listed_in(
        told.get("keyword_autoreply_info"),
        "keyword rules",
        partial(carried.skip, "Console"),
    )
    for number, rule in enumerate(rules, 1):
        _carry_keywords(carried, rule, number, appid, enabled=answers)
    return carried


def _carry_keywords(
    carried: Conversion, rule: Json, number: int, appid: str, *, enabled: bool
) -> None:
    name = f"Console: {rule.get('rule_name') or number}"
    replies = rule.get("reply_list_info")
    most = MAX_REPLIES
    if rule.get("reply_mode") == "random_one" and isinstance(replies, list) and len(replies) > 1:
        carried.skip(
            name,
            f"sent one of {len(replies)} replies at random; the first one that can be carried "
            "over is kept",
        )
        most = 1
    triggers = list(_triggers(carried, name, rule))
    if not triggers:
        carried.skip(name, "has no keyword that could be carried over")
    for trigger in triggers:
        suffix = "" if trigger["match"] == "any" else f" = {trigger['keyword']}"
        _carry(carried, f"{name}{suffix}", appid, trigger, replies, enabled=enabled, most=most)


def _triggers(carried: Conversion, name: str, rule: Json) -> Iterator[dict[str, Any]]:
    skip = partial(carried.skip, name)
    contained: dict[str, str] = {}
    whole: set[str] = set()
    for item in objects_in(rule.get("keyword_list_info"), "keywords", skip):
        keyword, mode = item.get("content"), item.get("match_mode")
        if item.get("type", "text") != "text" or not isinstance(keyword, str):
            skip("a keyword that is no text")
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


def _carry(
    carried: Conversion,
    name: str,
    appid: str,
    trigger: Json,
    told: object,
    *,
    enabled: bool,
    conditions: Json | None = None,
    most: int = MAX_REPLIES,
) -> None:
    carriable = replies_in(told, partial(carried.skip, name))
    replies = list(carriable if most > 1 else islice(carriable, most))
    if not replies:
        carried.skip(name, "has no reply that could be carried over")
        return
    passive = next((n for n, reply in enumerate(replies) if isinstance(reply, Text)), 0)
    if len(replies) > MAX_REPLIES:
        carried.skip(name, f"{len(replies) - MAX_REPLIES} replies too many")
    document = {
        "name": _free_name(carried, name),
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
        carried.rules.append(ImportedRule.model_validate(document))
    except ValidationError as error:
        carried.skip(name, describe(error))


def _free_name(carried: Conversion, name: str) -> str:
    """Return the name, with a number behind it if another rule has it already."""
    taken = {rule.name for rule in carried.rules}
    numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)
