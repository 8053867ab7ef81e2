"""Rules that get in each other's way: a better one always answers in their place. Pure."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from app.rules.engine import Rule, RuleSet, compile_rules
from app.rules.text_triggers import Match
from app.rules.triggers import AnyTrigger, FallbackTrigger, TextTrigger
from app.wechat.ids import AppId
from app.wechat.inbound import Text

_ANY_ACCOUNT: Final = AppId("")
_INSIDE: Final = frozenset({Match.ALL, Match.CONTAINS, Match.ANY})
_STILL_FITS: Final = {
    Match.EXACT: frozenset({Match.EXACT, Match.PREFIX, Match.SUFFIX, *_INSIDE}),
    Match.PREFIX: frozenset({Match.PREFIX, *_INSIDE}),
    Match.SUFFIX: frozenset({Match.SUFFIX, *_INSIDE}),
    Match.CONTAINS: _INSIDE,
    Match.ALL: _INSIDE,
    Match.ANY: _INSIDE,
}
"""Which kinds of rule, fitting the keyword alone, also fit every text that this kind takes."""


class ConflictKind(StrEnum):
    """identical: both wait for the same. shadowed: the other one waits for more.

    Either way the rule never answers, unless the conditions of the other one rule that out.
    """

    IDENTICAL = "identical"
    SHADOWED = "shadowed"


class Conflict(BaseModel):
    """One rule, and the better one. unreachable: whether the rule can never answer."""

    model_config = ConfigDict(frozen=True)

    kind: ConflictKind
    rule_id: int
    rule_name: str
    by_id: int
    by_name: str
    unreachable: bool


def find(rules: Iterable[Rule]) -> Iterator[Conflict]:
    """Yield what is wrong, best rule first; in mode `first`, where one rule answers."""
    compiled = compile_rules(rules, version=0)
    first: dict[tuple[AnyTrigger, str | None], Rule] = {}
    ranks = {rule.id: rank for rank, rule in enumerate(compiled.ranked)}
    for rule in compiled.ranked:
        other = first.get((rule.trigger, None)) or first.get((rule.trigger, rule.appid))
        if other is not None:
            yield _conflict(ConflictKind.IDENTICAL, rule, other)
            continue
        first[rule.trigger, rule.appid] = rule
        broader = _broader(rule, compiled, ranks)
        if broader is not None:
            yield _conflict(ConflictKind.SHADOWED, rule, broader)


def _conflict(kind: ConflictKind, rule: Rule, by: Rule) -> Conflict:
    return Conflict(
        kind=kind,
        rule_id=rule.id,
        rule_name=rule.name,
        by_id=by.id,
        by_name=by.name,
        unreachable=by.conditions is None,
    )


def _broader(rule: Rule, compiled: RuleSet, ranks: dict[int, int]) -> Rule | None:
    """Return the best of the better rules without conditions that fits whatever this one fits."""
    if isinstance(rule.trigger, FallbackTrigger):
        return _better_fallback(rule, compiled, ranks)
    if not isinstance(rule.trigger, TextTrigger) or rule.trigger.negated:
        return None
    still_fits = _STILL_FITS.get(rule.trigger.match)
    if still_fits is None:
        return None
    sets = [
        {
            ranks[other.id]
            for other in compiled.fitting(AppId(rule.appid or _ANY_ACCOUNT), _typed(word))
            if ranks[other.id] < ranks[rule.id] and _may_shadow(other, rule.trigger, still_fits)
        }
        for word in rule.trigger.keywords or (rule.trigger.keyword or "",)
    ]
    found = set.union(*sets) if rule.trigger.match is Match.ALL else set.intersection(*sets)
    return compiled.ranked[min(found)] if found else None


def _may_shadow(other: Rule, trigger: TextTrigger, kinds: frozenset[Match]) -> bool:
    return (
        other.conditions is None
        and isinstance(other.trigger, TextTrigger)
        and not other.trigger.negated
        and other.trigger.raw == trigger.raw
        and other.trigger.match in kinds
        and (other.trigger.voice or not trigger.voice)
    )


def _better_fallback(rule: Rule, compiled: RuleSet, ranks: dict[int, int]) -> Rule | None:
    better = (
        other
        for other in compiled.ranked[: ranks[rule.id]]
        if other.is_fallback and other.conditions is None and other.appid in {None, rule.appid}
    )
    return next(better, None)


def _typed(content: str) -> Text:
    return Text(to_user="", from_user="", create_time=0, payload={}, content=content)
