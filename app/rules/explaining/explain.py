"""Why a message is answered as it is: the winners, and what each near miss lacked. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from app.rules.definition.triggers import TextTrigger
from app.rules.explaining.condition_reason import describe_refusal, open_questions
from app.rules.explaining.event_near_miss import event_lacks
from app.rules.explaining.precedence_reason import precedence_reason
from app.rules.explaining.question import ExplainQuery
from app.rules.explaining.text_near_miss import TextNearMiss
from app.rules.matching.check_conditions import (
    as_of,
    refused_by_facts,
    refused_by_time_or_share,
    unmet_for_everyone,
)
from app.rules.matching.match_one import matches, normalized_text
from app.rules.matching.rule_set import Chosen, Rule, RuleSet
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import BadPattern
from app.wechat.inbound import Voice

DEFAULT_NEAR_MISSES: Final = 50


@dataclass(frozen=True, slots=True)
class Winner:
    """A rule that answers. only_if: what the follower must be for that; empty: nothing."""

    chosen: Chosen
    only_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that might have answered, and the one reason why it does not."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """winners: best first; one that answers only some followers leaves the others to the next.

    near_misses: the best ones; more: how many others. broken: rules that can't be held against
    anything, with what is wrong.
    """

    winners: tuple[Winner, ...]
    near_misses: tuple[NearMiss, ...]
    more: int
    broken: tuple[NearMiss, ...]


def explain(
    rules: RuleSet,
    disabled: Iterable[Rule],
    asked: ExplainQuery,
    most_misses: int = DEFAULT_NEAR_MISSES,
) -> Explanation:
    """Return who answers and who nearly does: a rule that fits and loses, or lacks one thing.

    disabled: rules that are switched off. First come those that fit and lose, best first, then
    what is switched off or for another account, then what the trigger lacks.
    """
    text = normalized_text(asked.message)
    fitting = tuple(rules.matching(asked.appid, asked.message))
    winners = _winners(rules, fitting, asked, text)
    winning = {winner.chosen.rule.id for winner in winners}
    seen = {rule.id for rule in fitting}
    others = [rule for rule in rules.ranked if rule.id not in seen]
    broken: list[NearMiss] = []

    def sound(found: Callable[[Rule], str | None], among: Iterable[Rule]) -> Iterator[NearMiss]:
        for rule in among:
            try:
                reason = found(rule)
            except BadPattern as error:
                broken.append(NearMiss(rule, str(error)))
                continue
            if reason is not None:
                yield NearMiss(rule, reason)

    misses = [
        *(
            NearMiss(rule, _lost(rule, winners, rules.most, asked))
            for rule in fitting
            if rule.id not in winning
        ),
        *sound(lambda rule: _switched_off(rule, asked, text, bool(winners)), disabled),
        *sound(lambda rule: _elsewhere(rule, asked, text, bool(winners)), others),
        *sound(_lacking(asked, text), others),
    ]
    shown = tuple(islice(misses, most_misses))
    return Explanation(winners, shown, len(misses) - len(shown), tuple(broken))


def _winners(
    rules: RuleSet, fitting: Sequence[Rule], asked: ExplainQuery, text: NormalizedText | None
) -> tuple[Winner, ...]:
    if asked.facts is not None:
        chosen = rules.choose(asked.appid, asked.message, asked.facts, asked.now)
        return tuple(Winner(answer) for answer in chosen)
    found: list[Winner] = []
    certain = 0
    for rule in fitting:
        if certain == rules.most or (certain and rule.is_fallback):
            break
        only_if: tuple[str, ...] = ()
        if rule.conditions is not None:
            if unmet_for_everyone(rule.conditions, asked.message, asked.now) is not None:
                continue
            only_if = tuple(open_questions(rule.conditions, asked))
        found.append(Winner(Chosen(rule, rules.captures(rule, text)), only_if))
        certain += not only_if
        if rule.is_fallback and not only_if:
            break
    return tuple(found)


def _lost(rule: Rule, winners: Sequence[Winner], most: int, asked: ExplainQuery) -> str:
    conditions = rule.conditions
    if conditions is not None:
        if asked.facts is None:
            refusal = unmet_for_everyone(conditions, asked.message, asked.now)
        else:
            refusal = refused_by_time_or_share(
                conditions, asked.now, asked.appid, asked.openid
            ) or refused_by_facts(conditions, rule.id, as_of(asked.message, asked.facts), asked.now)
        if refusal is not None:
            return describe_refusal(refusal, conditions, rule.id, asked)
    certain = [winner.chosen.rule for winner in winners if not winner.only_if]
    if most > 1 and len(certain) == most:
        return f"{most} better rules answer, which is as many as may (RULES_MATCH_LIMIT)"
    return precedence_reason(rule, certain[-1])


def _switched_off(
    rule: Rule, asked: ExplainQuery, text: NormalizedText | None, answered: bool
) -> str | None:
    if rule.appid not in {None, asked.appid} or (rule.is_fallback and answered):
        return None
    return "it is switched off (enabled)" if matches(rule.trigger, asked.message, text) else None


def _elsewhere(
    rule: Rule, asked: ExplainQuery, text: NormalizedText | None, answered: bool
) -> str | None:
    if rule.appid in {None, asked.appid} or (rule.is_fallback and answered):
        return None
    fit = matches(rule.trigger, asked.message, text)
    return f"it is for another account, {rule.appid}" if fit else None


def _lacking(asked: ExplainQuery, text: NormalizedText | None) -> Callable[[Rule], str | None]:
    near = None if text is None else TextNearMiss(text, spoken=isinstance(asked.message, Voice))

    def lacks(rule: Rule) -> str | None:
        if rule.appid not in {None, asked.appid}:
            return None
        if near is not None and isinstance(rule.trigger, TextTrigger):
            return near.reason(rule.trigger)
        return event_lacks(rule.trigger, asked.message)

    return lacks
