"""Which rules answer a message: pure, immutable, and never waiting for anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge

from app.rules.definition.rule import Rule
from app.rules.matching.account_index import text_of
from app.rules.matching.check_conditions import as_of, refused_by_facts, refused_by_time_or_share
from app.rules.matching.compiled_layer import Layer
from app.rules.matching.follower_facts import Facts
from app.rules.matching.precedence import place_of
from app.rules.text.normalize import NormalizedText
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, subject_openid

__all__ = ["Candidates", "Chosen", "Rule", "RuleSet", "compile_rules"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A rule that answers. captures: of its pattern, by number and by name, if replies use any."""

    rule: Rule
    captures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rules of one set that fit one message, best first, as far as they may be needed.

    Only what the database knows of the follower may still rule one of them out. asks_facts:
    whether `choose` wants that.
    """

    rules: tuple[Rule, ...]
    asks_facts: bool
    _set: "RuleSet"
    _message: Inbound
    _text: NormalizedText | None

    def choose(self, facts: Facts | None, now: datetime) -> tuple[Chosen, ...]:
        """Return the rules that answer, best first.

        facts: None when they could not be read; then no rule that asks for them answers.
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
        return tuple(Chosen(rule, self._set.captures(rule, self._text)) for rule in found)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Every enabled rule as of `version` of the rules table.

    most: how many rules may answer one message. count: of the rules. base: compiled together.
    changes: the rules that have changed since, by id; None for one that is gone, and what the
    base holds under such an id does not count. newer: compiled from the changes, if there are any.
    left_out: ids of enabled rules that are not in the set because they are no rules, or do not
    compile. newer_rejected: the version of a newer set that does not compile, so that this one
    still serves.
    """

    version: int
    most: int
    count: int
    base: Layer
    changes: Mapping[int, Rule | None] = field(default_factory=dict)
    newer: Layer | None = None
    left_out: tuple[int, ...] = ()
    newer_rejected: int | None = None

    @property
    def ranked(self) -> tuple[Rule, ...]:
        """All rules, best first."""
        if self.newer is None:
            return self.base.ranked
        return tuple(merge(self._valid(self.base.ranked), self.newer.ranked, key=place_of))

    def choose(
        self, appid: AppId, message: Inbound, facts: Facts | None, now: datetime
    ) -> tuple[Chosen, ...]:
        """Return the rules that answer `message`, best first; `order.place` says which are better.

        A fallback answers only when no other rule does. facts: None when they are not known.
        """
        return self.find(appid, message, now).choose(facts, now)

    def find(self, appid: AppId, message: Inbound, now: datetime) -> Candidates:
        """Return the rules that may answer, so that facts can be read if one asks for them."""
        content = text_of(message)
        text = None if content is None else NormalizedText(content)
        openid = subject_openid(message)
        found: list[Rule] = []
        certain = 0
        for rule in self._fitting(appid, message, text):
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
        return Candidates(tuple(found), certain < len(found), self, message, text)

    def fitting(self, appid: AppId, message: Inbound) -> Iterator[Rule]:
        """Yield every rule whose trigger fits, best first, whatever its conditions."""
        content = text_of(message)
        return self._fitting(appid, message, None if content is None else NormalizedText(content))

    def captures(self, rule: Rule, text: NormalizedText | None) -> Mapping[str, str]:
        """Return what the groups of a rule's pattern took, if its replies use any."""
        layer = self.newer if rule.id in self.changes else self.base
        return {} if layer is None or text is None else layer.captures(rule, text)

    def _fitting(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[Rule]:
        found = self.base.fitting(appid, message, text)
        if self.newer is None:
            return found
        newer = self.newer.fitting(appid, message, text)
        return merge(self._valid(found), newer, key=place_of)

    def _valid(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        return (rule for rule in rules if rule.id not in self.changes)


def compile_rules(rules: Iterable[Rule], version: int, most: int = 1) -> RuleSet:
    """Compile rules into a set. Raises BadPattern for a pattern that RE2 does not take."""
    base = Layer.of(rules)
    return RuleSet(version, most, len(base.ranked), base)
