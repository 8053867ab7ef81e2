"""Decides which rules answer a message. Immutable, and pure but for a log entry.

It never waits for anything.

`app.rules.matching` describes the indexes below it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge

import structlog

from app import metrics
from app.rules.definition.rule import Rule
from app.rules.matching.account_index import text_of
from app.rules.matching.check_conditions import as_of, refused_by_facts, refused_by_time_or_share
from app.rules.matching.compiled_layer import CompiledLayer
from app.rules.matching.follower_facts import Facts
from app.rules.matching.precedence import sort_key
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex_cost import SearchBudget
from app.value_class import value_class
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, subject_openid

__all__ = ["Candidates", "Chosen", "Rule", "RuleSet", "compile_rules"]

log = structlog.get_logger(__name__)


@value_class
class Chosen:
    """A rule that answers. captures: of its pattern by number and name, if its replies use any.

    instead: by name, the rules whose answers it gives if its own can't be sent.
    """

    rule: Rule
    captures: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, Rule] = field(default_factory=dict)


@value_class
class Candidates:
    """The rules of one set that may answer one message, best first.

    Only conditions on facts about the follower are still unchecked. asks_facts: whether any rule
    has such conditions, so that `choose` needs the facts. Rules that can't be needed are left out.
    """

    rules: tuple[Rule, ...]
    asks_facts: bool
    _set: "RuleSet"
    _message: Inbound
    _text: NormalizedText | None

    def choose(self, facts: Facts | None, now: datetime) -> tuple[Chosen, ...]:
        """Return the rules that answer, best first.

        facts: None if they could not be read; then no rule that depends on them answers.
        """
        known = as_of(self._message, facts)
        found: list[Rule] = []
        for rule in self.rules:
            if len(found) == self._set.most or (found and rule.is_fallback):
                break
            if rule.conditions is None or not refused_by_facts(
                rule.conditions, rule.id, known, now
            ):
                found.append(rule)
                if rule.is_fallback:
                    break
        return tuple(
            Chosen(rule, self._set.captures(rule, self._text), self._set.instead(rule))
            for rule in found
        )


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RuleSet:
    """Every enabled rule as of `version` of the rules table.

    most: how many rules may answer one message. count: the number of rules. base: the rules that
    were compiled together. changes: the rules that have changed since then, by id, None for one
    that was deleted or disabled; they replace what the base has under their ids. newer: the layer
    compiled from the changes; None without any. left_out: the ids of enabled rules that are
    invalid or do not compile, and so are not in the set. newer_rejected: the version of a newer
    set that does not compile, so that this set stays in use.
    """

    version: int
    most: int
    count: int
    base: CompiledLayer
    changes: Mapping[int, Rule | None] = field(default_factory=dict)
    newer: CompiledLayer | None = None
    left_out: tuple[int, ...] = ()
    newer_rejected: int | None = None

    @property
    def ranked(self) -> tuple[Rule, ...]:
        """All rules, best first."""
        if self.newer is None:
            return self.base.ranked
        return tuple(merge(self._valid(self.base.ranked), self.newer.ranked, key=sort_key))

    def choose(
        self, appid: AppId, message: Inbound, facts: Facts | None, now: datetime
    ) -> tuple[Chosen, ...]:
        """Return the rules that answer `message`, best first in the order of `precedence.sort_key`.

        A fallback answers only when no other rule does. facts: None when they are not known.
        """
        return self.find(appid, message, now).choose(facts, now)

    def find(self, appid: AppId, message: Inbound, now: datetime) -> Candidates:
        """Return the rules that may answer; the caller reads the facts if `asks_facts` says so."""
        budget = SearchBudget()
        text = text_of(message, budget)
        openid = subject_openid(message)
        found: list[Rule] = []
        certain = 0  # how many of them answer whatever the facts are
        for rule in self._matching(appid, message, text):
            if certain and rule.is_fallback:
                break
            if rule.conditions is not None and refused_by_time_or_share(
                rule.conditions, now, appid, openid
            ):
                continue
            found.append(rule)
            if not rule.asks_facts:
                certain += 1
            if certain == self.most or (certain and rule.is_fallback):
                break
        if budget.skipped:
            _report(self.version, appid, budget.skipped)
        return Candidates(tuple(found), certain < len(found), self, message, text)

    def matching(self, appid: AppId, message: Inbound) -> Iterator[Rule]:
        """Yield every rule whose trigger matches, best first; conditions are not checked."""
        return self._matching(appid, message, text_of(message))

    def captures(self, rule: Rule, text: NormalizedText | None) -> Mapping[str, str]:
        """Return what the groups of a rule's pattern captured, if its replies use any."""
        layer = self.newer if rule.id in self.changes else self.base
        return {} if layer is None or text is None else layer.captures(rule, text)

    def instead(self, rule: Rule) -> Mapping[str, Rule]:
        """Return the rules by name whose answers a rule gives if its own can't be sent.

        Those of another account, and those that are off or gone, are left out.
        """
        layer = self.newer if rule.id in self.changes else self.base
        names = () if layer is None else layer.names_instead(rule)
        found = ((name, self._named(name)) for name in names)
        return {
            name: other
            for name, other in found
            if other is not None and other.appid in {None, rule.appid}
        }

    def _named(self, name: str) -> Rule | None:
        newer = None if self.newer is None else self.newer.named(name)
        if newer is not None:
            return newer
        found = self.base.named(name)
        return None if found is None or found.id in self.changes else found

    def _matching(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[Rule]:
        found = self.base.matching(appid, message, text)
        if self.newer is None:
            return found
        newer = self.newer.matching(appid, message, text)
        return merge(self._valid(found), newer, key=sort_key)

    def _valid(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        return (rule for rule in rules if rule.id not in self.changes)


def _report(version: int, appid: AppId, skipped: int) -> None:
    metrics.PATTERN_SEARCHES_SKIPPED.inc(skipped)
    log.warning("rules.searches_skipped", version=version, appid=appid, skipped=skipped)


def compile_rules(rules: Iterable[Rule], version: int, most: int = 1) -> RuleSet:
    """Compile rules into a set. Raises BadPattern for a pattern that RE2 rejects.

    most: how many rules may answer one message.
    """
    base = CompiledLayer.of(rules)
    return RuleSet(version, most, len(base.ranked), base)
