"""Rules compiled together, so that one message finds all of them that fit: pure and immutable."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Self

from app.rules.definition.rule import Rule
from app.rules.definition.templates import captures_named_in
from app.rules.definition.text_triggers import Match
from app.rules.definition.triggers import AnyTrigger, TextTrigger
from app.rules.matching.account_index import Scope
from app.rules.matching.precedence import ranked
from app.rules.matching.text_index import Deferred, lowest
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern, compile_pattern, search
from app.wechat.ids import AppId
from app.wechat.inbound import BaseMessage, Inbound


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules, best first. Inside of a layer they go by their rank, counted from 0."""

    ranked: tuple[Rule, ...]
    _ids: Sequence[int]
    _scopes: Mapping[str | None, Scope]
    _capturing: Mapping[int, Pattern]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Compile rules. Raises BadPattern for a pattern that RE2 does not take."""
        given = tuple(rules)
        best_first = tuple(ranked(given))
        scopes: dict[str | None, list[tuple[int, AnyTrigger]]] = {}
        for rank, rule in enumerate(best_first):
            scopes.setdefault(rule.appid, []).append((rank, rule.trigger))
        return cls(
            best_first,
            array("q", sorted(rule.id for rule in given)),
            {appid: Scope.of(triggers) for appid, triggers in scopes.items()},
            dict(_capturing(best_first)),
        )

    def holds(self, rule_id: int) -> bool:
        """Tell whether a rule is in the layer."""
        at = bisect_left(self._ids, rule_id)
        return at < len(self._ids) and self._ids[at] == rule_id

    def fitting(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[Rule]:
        """Yield the rules that fit, best first; patterns are searched only when it comes to them.

        text: of the message, if it has any.
        """
        for rank in self._fitting(appid, message, text):
            yield self.ranked[rank]

    def captures(self, rule: Rule, text: NormalizedText) -> Mapping[str, str]:
        """Return what the groups of a rule's pattern took, if its replies use any."""
        pattern = self._capturing.get(rule.id)
        if pattern is None:
            return {}
        found = search(pattern, _searched(rule, text))
        if found is None:
            return {}
        numbered = {
            str(number): (found.group(number) or b"").decode(errors="replace")
            for number in range(pattern.groups + 1)
        }
        named = {name: numbered[str(number)] for name, number in pattern.groupindex.items()}
        return numbered | named

    def _fitting(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[int]:
        scopes = [
            scope
            for scope in (self._scopes.get(None), self._scopes.get(appid))
            if scope is not None
        ]
        pending: list[int] = []
        candidates: dict[int, Pattern] = {}
        for scope in scopes:
            pending += scope.hits(message, text)
            if text is not None:
                candidates.update(scope.candidates(message, text))
        pending += candidates
        heapify(pending)
        if text is not None:
            for start, found in _later(scopes, message):
                while pending and pending[0] < start:
                    yield from self._sure(heappop(pending), candidates, text)
                for rank in found(text):
                    heappush(pending, rank)
        while pending:
            yield from self._sure(heappop(pending), candidates, text)
        if isinstance(message, BaseMessage):
            yield from sorted(rank for scope in scopes for rank in scope.fallbacks)

    def _sure(
        self, rank: int, candidates: Mapping[int, Pattern], text: NormalizedText | None
    ) -> tuple[int, ...]:
        pattern = candidates.get(rank)
        if pattern is None or text is None:
            return (rank,)
        return (rank,) if search(pattern, _searched(self.ranked[rank], text)) else ()


def _searched(rule: Rule, text: NormalizedText) -> tuple[bytes, ...]:
    raw = isinstance(rule.trigger, TextTrigger) and rule.trigger.raw
    return text.raw_forms if raw else text.shown_forms


def _later(scopes: list[Scope], message: Inbound) -> Iterable[Deferred]:
    if len(scopes) == 1:
        return scopes[0].deferred(message)
    return sorted((later for scope in scopes for later in scope.deferred(message)), key=lowest)


def _capturing(rules: Iterable[Rule]) -> Iterator[tuple[int, Pattern]]:
    for rule in rules:
        trigger = rule.trigger
        if not isinstance(trigger, TextTrigger) or trigger.match is not Match.REGEX:
            continue
        if captures_named_in(rule.replies):
            pattern = trigger.words()[0]
            yield rule.id, compile_pattern(pattern, case_sensitive=trigger.raw, capture=True)
