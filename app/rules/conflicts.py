"""Rules that get in each other's way: a better one always answers in their place. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from app.rules.coverage import covers, is_broad
from app.rules.engine import Rule, RuleSet
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
    expired: its `until` is over.
    """

    IDENTICAL = "identical"
    SHADOWED = "shadowed"
    EXPIRED = "expired"


class Conflict(BaseModel):
    """One rule, and the better one, if one is in its way.

    unreachable: whether the rule can never answer.
    """

    model_config = ConfigDict(frozen=True)

    kind: ConflictKind
    rule_id: int
    rule_name: str
    by_id: int | None
    by_name: str | None
    unreachable: bool


def find(compiled: RuleSet, now: datetime) -> Iterator[Conflict]:
    """Yield what is wrong, best rule first."""
    most, ranked = compiled.most, compiled.ranked
    ranks = {rule.id: rank for rank, rule in enumerate(ranked)}
    always: dict[tuple[AnyTrigger, str | None], Rule] = {}
    sometimes: dict[tuple[AnyTrigger, str | None], Rule] = {}
    broad: list[Rule] = []
    for rule in ranked:
        if _is_over(rule, now):
            yield _conflict(ConflictKind.EXPIRED, rule, None, most)
            continue
        everywhere, own = (rule.trigger, None), (rule.trigger, rule.appid)
        same = always.get(everywhere) or always.get(own)
        wider = None if same is not None else _broader(rule, compiled, ranks, broad)
        maybe = sometimes.get(everywhere) or sometimes.get(own)
        if same is not None:
            yield _conflict(ConflictKind.IDENTICAL, rule, same, most)
        elif wider is not None:
            yield _conflict(ConflictKind.SHADOWED, rule, wider, most)
        elif maybe is not None:
            yield _conflict(ConflictKind.IDENTICAL, rule, maybe, most)
        if rule.conditions is not None:
            sometimes.setdefault(own, rule)
            continue
        always.setdefault(own, rule)
        if wider is None and is_broad(rule.trigger):
            broad.append(rule)


def _is_over(rule: Rule, now: datetime) -> bool:
    until = None if rule.conditions is None else rule.conditions.until
    return until is not None and until <= now


def _conflict(kind: ConflictKind, rule: Rule, by: Rule | None, most: int) -> Conflict:
    # Where several rules answer, one better rule keeps nobody but a fallback from answering.
    one_is_enough = most == 1 or rule.is_fallback
    return Conflict(
        kind=kind,
        rule_id=rule.id,
        rule_name=rule.name,
        by_id=None if by is None else by.id,
        by_name=None if by is None else by.name,
        unreachable=by is None or (by.conditions is None and one_is_enough),
    )


def _broader(
    rule: Rule, compiled: RuleSet, ranks: dict[int, int], broad: Iterable[Rule]
) -> Rule | None:
    """Return the best of the better rules without conditions that fits whatever this one fits."""
    if isinstance(rule.trigger, FallbackTrigger):
        return _better_fallback(rule, compiled, ranks)
    if not isinstance(rule.trigger, TextTrigger):
        return _covering(rule, broad)
    if rule.trigger.negated:
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
        for word in rule.trigger.words()
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


def _covering(rule: Rule, broad: Iterable[Rule]) -> Rule | None:
    covering = (
        other
        for other in broad
        if other.appid in {None, rule.appid} and covers(other.trigger, rule.trigger)
    )
    return next(covering, None)


def _typed(content: str) -> Text:
    return Text(to_user="", from_user="", create_time=0, payload={}, content=content)
