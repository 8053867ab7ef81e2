"""Detects rules that can never answer, because a better rule always does or they are over. Pure.

And rules whose answer WeChat refuses, because of the mini-program that it opens.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Final

from pydantic import ConfigDict

from app.api_model import ApiModel
from app.rules.conflicts.coverage import Coverage
from app.rules.conflicts.implication import implies
from app.rules.definition.mini_programs import unknown_mini_program
from app.rules.definition.text_triggers import Match
from app.rules.definition.triggers import AnyTrigger, FallbackTrigger, TextTrigger
from app.rules.matching.rule_set import Rule, RuleSet
from app.wechat.ids import AppId
from app.wechat.inbound import Text

_ANY_ACCOUNT: Final = AppId("")


class ConflictKind(StrEnum):
    """identical: a better rule has the same trigger. shadowed: a better rule matches more.

    In both cases the rule answers only when the conditions of the better rule do not hold.
    expired: the `until` of the rule has passed. mini_program: a reply opens a mini-program that is
    not configured.
    """

    IDENTICAL = "identical"
    SHADOWED = "shadowed"
    EXPIRED = "expired"
    MINI_PROGRAM = "mini_program"


class Conflict(ApiModel):
    """A rule, and the better rule that answers in its place, if there is one."""

    model_config = ConfigDict(frozen=True)

    kind: ConflictKind
    """Why it does not answer."""
    rule_id: int
    """The rule."""
    rule_name: str
    """Its name."""
    by_id: int | None
    """The better rule."""
    by_name: str | None
    """Its name."""
    unreachable: bool
    """Whether the rule can never answer."""
    mini_program: str | None = None
    """The AppID that is not configured."""


def find(
    compiled: RuleSet, now: datetime, mini_programs: Collection[str] = ()
) -> Iterator[Conflict]:
    """Yield the conflicts at the time `now`, in the order of the rules, best first.

    mini_programs: AppIDs of those that may be opened; empty: any.
    """
    most, ranked = compiled.most, compiled.ranked
    ranks = {rule.id: rank for rank, rule in enumerate(ranked)}
    # The best rule with each trigger and account, without and with conditions.
    always: dict[tuple[AnyTrigger, str | None], Rule] = {}
    sometimes: dict[tuple[AnyTrigger, str | None], Rule] = {}
    coverage = Coverage()
    for rank, rule in enumerate(ranked):
        if _is_over(rule, now):
            yield _conflict(ConflictKind.EXPIRED, rule, None, most)
            continue
        unknown = unknown_mini_program(rule.replies, mini_programs)
        if unknown is not None:
            yield _unknown(rule, unknown)
        everywhere, own = (rule.trigger, None), (rule.trigger, rule.appid)
        same = always.get(everywhere) or always.get(own)
        wider = None if same is not None else _broader(rule, compiled, ranks, coverage)
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
        if same is None and wider is None:
            coverage.add(rank, rule)


def _is_over(rule: Rule, now: datetime) -> bool:
    until = None if rule.conditions is None else rule.conditions.until
    return until is not None and until <= now


def _unknown(rule: Rule, appid: str) -> Conflict:
    return Conflict(
        kind=ConflictKind.MINI_PROGRAM,
        rule_id=rule.id,
        rule_name=rule.name,
        by_id=None,
        by_name=None,
        unreachable=False,
        mini_program=appid,
    )


def _conflict(kind: ConflictKind, rule: Rule, by: Rule | None, most: int) -> Conflict:
    # If several rules may answer, one better rule prevents only a fallback from answering.
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
    rule: Rule, compiled: RuleSet, ranks: dict[int, int], coverage: Coverage
) -> Rule | None:
    """Return the best better rule without conditions that matches all that this rule matches."""
    if isinstance(rule.trigger, FallbackTrigger):
        return _better_fallback(rule, compiled, ranks)
    found = [coverage.best(rule)]
    if isinstance(rule.trigger, TextTrigger):
        found.append(_found_by_keywords(rule, rule.trigger, compiled, ranks))
    best = min((rank for rank in found if rank is not None), default=None)
    return None if best is None else compiled.ranked[best]


def _found_by_keywords(
    rule: Rule, trigger: TextTrigger, compiled: RuleSet, ranks: dict[int, int]
) -> int | None:
    """Return the rank of the best better rule that matches the keywords and so all its texts."""
    if trigger.negated or trigger.match is Match.REGEX:
        return None

    def shadowing(word: str) -> Iterator[int]:
        for other in compiled.matching(AppId(rule.appid or _ANY_ACCOUNT), _typed(word)):
            if ranks[other.id] >= ranks[rule.id]:
                return
            if _always_matches(other, trigger):
                yield ranks[other.id]

    found = map(shadowing, trigger.words())
    if trigger.match is Match.ANY:
        return min(set.intersection(*map(set, found)), default=None)
    return min((rank for each in found for rank in islice(each, 1)), default=None)


def _always_matches(other: Rule, trigger: TextTrigger) -> bool:
    return (
        other.conditions is None
        and isinstance(other.trigger, TextTrigger)
        and implies(other.trigger, trigger)
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
