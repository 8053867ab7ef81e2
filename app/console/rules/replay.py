"""Compares what stored pushes would be answered by the rules as they are, and as edited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from app.callback.rule_hits import StoredPush
from app.rules.definition.rule import Rule
from app.rules.matching.account_index import text_of
from app.rules.matching.follower_facts import Facts
from app.rules.matching.match_one import matches
from app.rules.matching.rule_set import RuleSet
from app.rules.text.regex import BadPattern
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId
from app.wechat.inbound import Format, Inbound, parse

MAX_PUSHES: Final = 1000
MAX_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """A push that other rules would answer. before, after: the names of those rules by id.

    text: what was typed or said, or the name and key of an event.
    """

    id: UUID
    received_at: datetime
    text: str
    is_event: bool
    before: Mapping[int, str]
    after: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """looked_at: how many pushes. changed: how many answers change; shown: the first of them.

    answered: how many the edited rule answers.
    """

    looked_at: int
    changed: int
    answered: int
    shown: Sequence[ChangedAnswer]


def compare(
    pushes: Sequence[StoredPush],
    facts: Sequence[Facts],
    before: RuleSet,
    after: RuleSet,
    rule_id: int,
) -> Comparison:
    """Compare. facts: about the sender of each push. rule_id: of the edited rule. Pure.

    Every push is judged by the time at which it came and by what is known of its sender now.
    """
    old, new = _rule_in(before, rule_id), _rule_in(after, rule_id)
    shown: list[ChangedAnswer] = []
    changed = answered = 0
    for push, known in zip(pushes, facts, strict=True):
        message = _message_of(push)
        # Where neither form of the rule matches, it changes nothing.
        if message is None or not any(_matches(rule, message) for rule in (old, new) if rule):
            continue
        appid, now = AppId(push.appid), push.received_at
        # The cooldown that this very push began would refuse its own answer.
        asof = replace(known.until(now), fired={})
        first = _names(before, appid, message, asof, now)
        then = _names(after, appid, message, asof, now)
        answered += rule_id in then
        if first != then:
            changed += 1
            if len(shown) < MAX_SHOWN:
                text, is_event = _text_of(push)
                shown.append(ChangedAnswer(push.id, now, text, is_event, first, then))
    return Comparison(len(pushes), changed, answered, shown)


def _names(
    rules: RuleSet, appid: AppId, message: Inbound, facts: Facts, now: datetime
) -> Mapping[int, str]:
    chosen = rules.choose(appid, message, facts, now)
    return {choice.rule.id: choice.rule.name for choice in chosen}


def _rule_in(rules: RuleSet, rule_id: int) -> Rule | None:
    return next((rule for rule in rules.ranked if rule.id == rule_id), None)


def _matches(rule: Rule, message: Inbound) -> bool:
    try:
        return matches(rule.trigger, message, text_of(message))
    except BadPattern:
        return False


def _message_of(push: StoredPush) -> Inbound | None:
    try:
        return parse(orjson.dumps(push.payload).decode(), Format.JSON)
    except (BadEnvelope, TypeError):
        return None


def _text_of(push: StoredPush) -> tuple[str, bool]:
    members = {name.lower(): value for name, value in push.payload.items()}
    event = members.get("event")
    if event:
        return f"{event} {members.get('eventkey') or ''}".strip(), True
    return str(
        members.get("content") or members.get("recognition") or members.get("msgtype")
    ), False
