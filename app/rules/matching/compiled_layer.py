"""Finds which rules of one compilation match a message, best first. Pure and immutable."""

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
from app.rules.matching.account_index import AccountIndex
from app.rules.matching.precedence import ranked
from app.rules.matching.text_index import Deferred, lowest
from app.rules.text.normalize import NormalizedText
from app.rules.text.regex import Pattern, compile_pattern, search
from app.wechat.ids import AppId
from app.wechat.inbound import BaseMessage, Inbound
from app.wechat.outbound import rule_instead


@dataclass(frozen=True, slots=True)
class CompiledLayer:
    """Rules that were compiled together.

    ranked: the rules, best first; a rule's index in it is its rank, by which all indexes know it.
    """

    ranked: tuple[Rule, ...]
    _ids: Sequence[int]
    _accounts: Mapping[str | None, AccountIndex]
    _capturing: Mapping[int, Pattern]
    _instead: Mapping[int, tuple[str, ...]]
    _names: Mapping[str, Rule]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Self:
        """Compile rules. Raises BadPattern for a pattern that RE2 rejects."""
        given = tuple(rules)
        best_first = tuple(ranked(given))
        by_account: dict[str | None, list[tuple[int, AnyTrigger]]] = {}
        for rank, rule in enumerate(best_first):
            by_account.setdefault(rule.appid, []).append((rank, rule.trigger))
        return cls(
            best_first,
            array("q", sorted(rule.id for rule in given)),
            {appid: AccountIndex.of(triggers) for appid, triggers in by_account.items()},
            dict(_capturing(best_first)),
            dict(_instead(best_first)),
            {rule.name: rule for rule in reversed(best_first)},
        )

    def holds(self, rule_id: int) -> bool:
        """Tell whether a rule is in the layer."""
        at = bisect_left(self._ids, rule_id)
        return at < len(self._ids) and self._ids[at] == rule_id

    def matching(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[Rule]:
        """Yield the rules that match, best first. A pattern is searched when its rank is reached.

        text: of the message; None if it has none.
        """
        for rank in self._matching(appid, message, text):
            yield self.ranked[rank]

    def captures(self, rule: Rule, text: NormalizedText) -> Mapping[str, str]:
        """Return what the groups of a rule's pattern captured, by number and by name.

        Empty if the replies of the rule use no captures.
        """
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

    def names_instead(self, rule: Rule) -> tuple[str, ...]:
        """Return the names of the rules whose answers a rule gives if its own can't be sent."""
        return self._instead.get(rule.id, ())

    def named(self, name: str) -> Rule | None:
        """Return the rule of a name; the best one, if several have it."""
        return self._names.get(name)

    def _matching(
        self, appid: AppId, message: Inbound, text: NormalizedText | None
    ) -> Iterator[int]:
        indexes = [
            index
            for index in (self._accounts.get(None), self._accounts.get(appid))
            if index is not None
        ]
        pending: list[int] = []
        candidates: dict[int, Pattern] = {}
        for index in indexes:
            pending += index.hits(message, text)
            if text is not None:
                candidates.update(index.candidates(message, text))
        pending += candidates
        heapify(pending)
        if text is not None:
            for lowest_rank, search_text in _deferred(indexes, message):
                # All ranks below are known now, so they can be yielded before the search is run.
                while pending and pending[0] < lowest_rank:
                    yield from self._confirmed(heappop(pending), candidates, text)
                for rank in search_text(text):
                    heappush(pending, rank)
        while pending:
            yield from self._confirmed(heappop(pending), candidates, text)
        if isinstance(message, BaseMessage):
            yield from sorted(rank for index in indexes for rank in index.fallbacks)

    def _confirmed(
        self, rank: int, candidates: Mapping[int, Pattern], text: NormalizedText | None
    ) -> tuple[int, ...]:
        pattern = candidates.get(rank)
        if pattern is None or text is None:
            return (rank,)
        if not text.may_search():
            return ()
        return (rank,) if search(pattern, _searched(self.ranked[rank], text)) else ()


def _searched(rule: Rule, text: NormalizedText) -> tuple[bytes, ...]:
    raw = isinstance(rule.trigger, TextTrigger) and rule.trigger.raw
    return text.raw_forms if raw else text.shown_forms


def _deferred(indexes: list[AccountIndex], message: Inbound) -> Iterable[Deferred]:
    if len(indexes) == 1:
        return indexes[0].deferred(message)
    return sorted((each for index in indexes for each in index.deferred(message)), key=lowest)


def _instead(rules: Iterable[Rule]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for rule in rules:
        names = tuple(name for name in map(rule_instead, rule.replies) if name is not None)
        if names:
            yield rule.id, names


def _capturing(rules: Iterable[Rule]) -> Iterator[tuple[int, Pattern]]:
    for rule in rules:
        trigger = rule.trigger
        if not isinstance(trigger, TextTrigger) or trigger.match is not Match.REGEX:
            continue
        if captures_named_in(rule.replies):
            pattern = trigger.words()[0]
            yield rule.id, compile_pattern(pattern, case_sensitive=trigger.raw, capture=True)
