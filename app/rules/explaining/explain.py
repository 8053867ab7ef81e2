"""Explains how a message is answered: the rules that answer, and the near misses. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.rules.definition.triggers import TextTrigger
from app.rules.explaining.condition_reason import describe_refusal, open_questions
from app.rules.explaining.event_near_miss import event_reason
from app.rules.explaining.precedence_reason import precedence_reason
from app.rules.explaining.question import DEFAULT_NEAR_MISSES, ExplainQuery
from app.rules.explaining.text_near_miss import TextNearMiss
from app.rules.matching.account_index import text_of
from app.rules.matching.check_conditions import (
    as_of,
    refused_by_facts,
    refused_by_time_or_share,
    unmet_for_everyone,
)
from app.rules.matching.match_one import matches
from app.rules.matching.rule_set import Chosen, Rule, RuleSet
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import BadPattern
from app.wechat.inbound import Voice


@dataclass(frozen=True, slots=True)
class Winner:
    """A rule that answers. only_if: what must be true of the follower for that; empty: nothing."""

    chosen: Chosen
    only_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that nearly answers, and the one reason why it does not."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """winners: best first; if one answers only some followers, the next one answers the others.

    near_misses: the first ones. more: how many near misses were left off. broken: rules that do
    not compile, with what is wrong. all_compared: whether every rule was looked at for near misses.
    """

    winners: tuple[Winner, ...]
    near_misses: tuple[NearMiss, ...]
    more: int
    broken: tuple[NearMiss, ...]
    all_compared: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """Which rules that do not match are looked at for near misses.

    most: so many, the best first. always: the id of one that is looked at in any case.
    """

    most: int
    always: int | None = None


def explain(
    rules: RuleSet,
    disabled: Iterable[Rule],
    query: ExplainQuery,
    most_misses: int = DEFAULT_NEAR_MISSES,
    compared: Compared | None = None,
) -> Explanation:
    """Return the rules that answer and those that nearly do.

    disabled: rules that are switched off. compared: None: all rules are looked at for
    near misses. The near misses come in this order: rules that match but
    do not answer, best first; rules that are switched off; rules for another account; rules whose
    trigger does not match for one reason.
    """
    text = text_of(query.message)
    matched = tuple(rules.matching(query.appid, query.message))
    winners = _winners(rules, matched, query, text)
    winning = {winner.chosen.rule.id for winner in winners}
    seen = {rule.id for rule in matched}
    unmatched = [rule for rule in rules.ranked if rule.id not in seen]
    others = unmatched if compared is None else _compared(unmatched, compared)
    broken: list[NearMiss] = []

    def misses_in(
        among: Iterable[Rule], reason_of: Callable[[Rule], str | None]
    ) -> Iterator[NearMiss]:
        for rule in among:
            try:
                reason = reason_of(rule)
            except BadPattern as error:
                broken.append(NearMiss(rule, str(error)))
                continue
            if reason is not None:
                yield NearMiss(rule, reason)

    misses = [
        *(
            NearMiss(rule, _lost(rule, winners, rules.most, query))
            for rule in matched
            if rule.id not in winning
        ),
        *misses_in(disabled, lambda rule: _switched_off(rule, query, text, bool(winners))),
        *misses_in(others, lambda rule: _elsewhere(rule, query, text, bool(winners))),
        *misses_in(others, _trigger_reason(query, text)),
    ]
    shown = tuple(islice(misses, most_misses))
    return Explanation(
        winners,
        shown,
        len(misses) - len(shown),
        tuple(broken),
        len(others) == len(unmatched),
    )


def _compared(rules: Sequence[Rule], compared: Compared) -> Sequence[Rule]:
    beyond = (rule for rule in rules[compared.most :] if rule.id == compared.always)
    return [*rules[: compared.most], *beyond]


def _winners(
    rules: RuleSet, matched: Sequence[Rule], query: ExplainQuery, text: NormalizedText | None
) -> tuple[Winner, ...]:
    if query.facts is not None:
        chosen = rules.choose(query.appid, query.message, query.facts, query.now)
        return tuple(Winner(choice) for choice in chosen)
    found: list[Winner] = []
    certain = 0
    for rule in matched:
        if certain == rules.most or (certain and rule.is_fallback):
            break
        only_if: tuple[str, ...] = ()
        if rule.conditions is not None:
            if unmet_for_everyone(rule.conditions, query.message, query.now) is not None:
                continue
            only_if = tuple(open_questions(rule.conditions, query))
        found.append(Winner(Chosen(rule, rules.captures(rule, text)), only_if))
        certain += not only_if
        if rule.is_fallback and not only_if:
            break
    return tuple(found)


def _lost(rule: Rule, winners: Sequence[Winner], most: int, query: ExplainQuery) -> str:
    conditions = rule.conditions
    if conditions is not None:
        if query.facts is None:
            refusal = unmet_for_everyone(conditions, query.message, query.now)
        else:
            refusal = refused_by_time_or_share(
                conditions, query.now, query.appid, query.openid
            ) or refused_by_facts(conditions, rule.id, as_of(query.message, query.facts), query.now)
        if refusal is not None:
            return describe_refusal(refusal, conditions, rule.id, query)
    certain = [winner.chosen.rule for winner in winners if not winner.only_if]
    if most > 1 and len(certain) == most:
        return f"{most} better rules answer, and no more may (RULES_MATCH_LIMIT)"
    return precedence_reason(rule, certain[-1])


def _switched_off(
    rule: Rule, query: ExplainQuery, text: NormalizedText | None, answered: bool
) -> str | None:
    if rule.appid not in {None, query.appid} or (rule.is_fallback and answered):
        return None
    return "it is switched off (enabled)" if matches(rule.trigger, query.message, text) else None


def _elsewhere(
    rule: Rule, query: ExplainQuery, text: NormalizedText | None, answered: bool
) -> str | None:
    if rule.appid in {None, query.appid} or (rule.is_fallback and answered):
        return None
    matched = matches(rule.trigger, query.message, text)
    return f"it is for another account, {rule.appid}" if matched else None


def _trigger_reason(
    query: ExplainQuery, text: NormalizedText | None
) -> Callable[[Rule], str | None]:
    near = None if text is None else TextNearMiss(text, spoken=isinstance(query.message, Voice))

    def reason(rule: Rule) -> str | None:
        if rule.appid not in {None, query.appid}:
            return None
        if near is not None and isinstance(rule.trigger, TextTrigger):
            return near.reason(rule.trigger)
        return event_reason(rule.trigger, query.message)

    return reason
