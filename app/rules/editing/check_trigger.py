"""Finds in a rule's trigger what no message can ever match. Pure."""

from collections.abc import Iterator
from typing import Final

from app.rules.definition.schemas import RuleIn
from app.rules.definition.text_triggers import Match, TextTrigger
from app.wechat.inbound.unsupported import is_placeholder_keyword

_STICKER: Final = (
    "is what WeChat sends in place of a sticker, and no keyword is compared with that: use the "
    'trigger {"on": "unsupported"}'
)


def unmatchable(rule: RuleIn) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of each keyword that no message can match, and what to do about it."""
    trigger = rule.trigger
    if not isinstance(trigger, TextTrigger) or trigger.negated or trigger.match is Match.REGEX:
        return
    for member, keyword in _keywords(trigger):
        if is_placeholder_keyword(keyword):
            yield ("trigger", *member), _STICKER


def _keywords(trigger: TextTrigger) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if trigger.keyword is not None:
        yield ("keyword",), trigger.keyword
    for number, keyword in enumerate(trigger.keywords or ()):
        yield ("keywords", number), keyword
