"""Why a message is answered as it is: the winners, and what each near miss lacked. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from app.rules.eligible import as_of, refused_by_facts, refused_by_time_or_share
from app.rules.engine import Chosen, Rule, RuleSet, compile_rules
from app.rules.facts import Facts
from app.rules.order import specificity
from app.rules.scope import text_of
from app.rules.text_triggers import Match, TextTrigger
from app.rules.texts import Single
from app.rules.typed import Typed
from app.wechat import inbound
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, subject_openid

MAX_NEAR_MISSES: Final = 50


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that might have answered, and the one reason why it does not."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """chosen: what answers, best first. near_misses: the best ones; more: how many others."""

    chosen: tuple[Chosen, ...]
    near_misses: tuple[NearMiss, ...]
    more: int


def explain(
    rules: RuleSet,
    disabled: Iterable[Rule],
    appid: AppId,
    message: Inbound,
    facts: Facts | None,
    now: datetime,
) -> Explanation:
    """Return who answers and who nearly does. disabled: rules that are switched off."""
    chosen = rules.choose(appid, message, facts, now)
    answering = {answer.rule.id for answer in chosen}
    fitting = list(rules.fitting(appid, message))
    misses = [
        NearMiss(rule, _lost(rule, chosen, rules.most, appid, message, facts, now))
        for rule in fitting
        if rule.id not in answering
    ]
    seen = answering | {rule.id for rule in fitting}
    others = (rule for rule in rules.ranked if rule.id not in seen)
    misses += _elsewhere(others, appid, message)
    misses += _switched_off(disabled, appid, message)
    shown = tuple(islice(misses, MAX_NEAR_MISSES))
    return Explanation(chosen, shown, len(misses) - len(shown))


def _lost(
    rule: Rule,
    chosen: Sequence[Chosen],
    most: int,
    appid: AppId,
    message: Inbound,
    facts: Facts | None,
    now: datetime,
) -> str:
    if rule.conditions is not None:
        refusal = refused_by_time_or_share(
            rule.conditions, now, appid, subject_openid(message)
        ) or refused_by_facts(rule.conditions, rule.id, as_of(message, facts), now)
        if refusal is not None:
            return refusal
    if rule.is_fallback:
        return "it is a fallback, and another rule answers"
    winner = chosen[-1].rule
    if most > 1:
        return f"{most} better rules answer"
    if winner.priority > rule.priority:
        return f"rule {winner.id} has the higher priority, {winner.priority}"
    if specificity(winner.trigger) < specificity(rule.trigger):
        return f"rule {winner.id} is more specific: {winner.kind} goes before {rule.kind}"
    return f"rule {winner.id} has the longer keyword, or the lower id"


def _elsewhere(rules: Iterable[Rule], appid: AppId, message: Inbound) -> Iterator[NearMiss]:
    """Yield rules of other accounts that fit, and texts that hold the keyword all the same."""
    content = text_of(message)
    text = None if content is None else Typed(content)
    for rule in rules:
        trigger = rule.trigger
        if isinstance(trigger, TextTrigger) and text is not None:
            reason = _text_reason(rule, trigger, text, appid, message)
            if reason is not None:
                yield NearMiss(rule, reason)


def _text_reason(
    rule: Rule, trigger: TextTrigger, text: Typed, appid: AppId, message: Inbound
) -> str | None:
    if rule.appid not in {None, appid}:
        fits = trigger.match is not Match.REGEX and Single.of(trigger).fits(text)
        return "it is for another account" if fits and not trigger.negated else None
    if trigger.match is Match.REGEX:
        return None
    if isinstance(message, inbound.Voice) and not trigger.voice:
        return "it does not listen to voice messages" if Single.of(trigger).fits(text) else None
    if trigger.negated:
        return "the text is one of those that it does not want"
    return _keyword_reason(trigger, text)


def _keyword_reason(trigger: TextTrigger, text: Typed) -> str | None:
    if trigger.raw and Single.of(trigger.model_copy(update={"raw": False})).fits(text):
        return "it compares exactly as typed"
    found = [word for word in trigger.words() if word in (text.raw if trigger.raw else text.plain)]
    if not found:
        return None
    return {
        Match.EXACT: "the text says more than its keyword",
        Match.PREFIX: "its keyword is in the text, but not at the beginning",
        Match.SUFFIX: "its keyword is in the text, but not at the end",
        Match.ALL: f"only {len(found)} of its {len(trigger.words())} keywords are in the text",
    }.get(trigger.match)


def _switched_off(rules: Iterable[Rule], appid: AppId, message: Inbound) -> Iterator[NearMiss]:
    own = [rule for rule in rules if rule.appid in {None, appid}]
    for rule in compile_rules(own, version=0).fitting(appid, message):
        yield NearMiss(rule, "it is switched off")
