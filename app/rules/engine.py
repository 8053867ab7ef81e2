"""Which rules answer a message: pure, immutable, and never waiting for anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush

from app.rules.conditions import Conditions
from app.rules.eligible import as_of, refused_by_facts, refused_by_time_or_share
from app.rules.facts import Facts
from app.rules.order import place
from app.rules.patterns import Pattern, compile_pattern
from app.rules.scope import Scope, text_of
from app.rules.templates import captures_named_in
from app.rules.text_triggers import Match
from app.rules.texts import Later, lowest
from app.rules.triggers import AnyTrigger, FallbackTrigger, TextTrigger
from app.rules.typed import Typed
from app.rules.utm import Utm
from app.wechat.ids import AppId
from app.wechat.inbound import BaseMessage, Inbound, subject_openid
from app.wechat.outbound import Message


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule. appid None: every account. conditions None: it always may answer."""

    id: int
    name: str
    appid: str | None
    priority: int
    trigger: AnyTrigger
    replies: tuple[Message, ...]
    conditions: Conditions | None = None
    utm: Utm | None = None

    @property
    def kind(self) -> str:
        """What the rule waits for, in one word: `exact`, `contains`, …, `scan`, `fallback`."""
        return self.trigger.match if isinstance(self.trigger, TextTrigger) else self.trigger.on

    @property
    def is_fallback(self) -> bool:
        """Whether the rule only answers what no other rule does."""
        return isinstance(self.trigger, FallbackTrigger)

    @property
    def asks_facts(self) -> bool:
        """Whether it takes what the database knows of the follower to say if it may answer."""
        return self.conditions is not None and self.conditions.ask_facts


@dataclass(frozen=True, slots=True)
class Chosen:
    """A rule that answers. captures: of its pattern, by number and by name, if replies use any."""

    rule: Rule
    captures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rules of one set that fit one message, best first, as far as they may be needed.

    Only what the database knows of the follower may still rule one of them out.
    """

    rules: tuple[Rule, ...]
    _set: "RuleSet"
    _message: Inbound
    _text: Typed | None

    @property
    def asks_facts(self) -> bool:
        """Whether `choose` wants facts."""
        return any(rule.asks_facts for rule in self.rules)

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
    """Every enabled rule, best first, as of `version` of the rules table.

    most: how many rules may answer one message. left_out: ids of enabled rules that are not in
    the set because they are no rules, or do not compile. newer_rejected: the version of a newer
    set that does not compile, so that this one still serves.
    """

    version: int
    ranked: tuple[Rule, ...]
    most: int
    _scopes: Mapping[str | None, Scope]
    _capturing: Mapping[int, Pattern]
    left_out: tuple[int, ...] = ()
    newer_rejected: int | None = None

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
        text = None if content is None else Typed(content)
        openid = subject_openid(message)
        found: list[Rule] = []
        certain = 0
        for rank in self._fitting(appid, message, text):
            rule = self.ranked[rank]
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
        return Candidates(tuple(found), self, message, text)

    def fitting(self, appid: AppId, message: Inbound) -> Iterator[Rule]:
        """Yield every rule whose trigger fits, best first, whatever its conditions."""
        content = text_of(message)
        text = None if content is None else Typed(content)
        for rank in self._fitting(appid, message, text):
            yield self.ranked[rank]

    def captures(self, rule: Rule, text: Typed | None) -> Mapping[str, str]:
        """Return what the groups of a rule's pattern took, if its replies use any."""
        pattern = self._capturing.get(rule.id)
        if pattern is None or text is None:
            return {}
        raw = isinstance(rule.trigger, TextTrigger) and rule.trigger.raw
        found = pattern.search(text.raw_bytes if raw else text.shown_bytes)
        if found is None:
            return {}
        numbered = {
            str(number): (found.group(number) or b"").decode(errors="replace")
            for number in range(pattern.groups + 1)
        }
        named = {name: numbered[str(number)] for name, number in pattern.groupindex.items()}
        return numbered | named

    def _fitting(self, appid: AppId, message: Inbound, text: Typed | None) -> Iterator[int]:
        """Yield the ranks that fit, ascending; patterns are searched only when it comes to them."""
        scopes = [
            scope
            for scope in (self._scopes.get(None), self._scopes.get(appid))
            if scope is not None
        ]
        pending: list[int] = []
        unsure: dict[int, Pattern] = {}
        for scope in scopes:
            pending += scope.at_once(message, text)
            if text is not None:
                unsure.update(scope.unsure(message, text))
        pending += unsure
        heapify(pending)
        if text is not None:
            for start, found in _later(scopes, message):
                while pending and pending[0] < start:
                    yield from self._sure(heappop(pending), unsure, text)
                for rank in found(text):
                    heappush(pending, rank)
        while pending:
            yield from self._sure(heappop(pending), unsure, text)
        if isinstance(message, BaseMessage):
            yield from sorted(rank for scope in scopes for rank in scope.fallbacks)

    def _sure(
        self, rank: int, unsure: Mapping[int, Pattern], text: Typed | None
    ) -> tuple[int, ...]:
        pattern = unsure.get(rank)
        if pattern is None or text is None:
            return (rank,)
        raw = getattr(self.ranked[rank].trigger, "raw", False)
        return (rank,) if pattern.search(text.raw_bytes if raw else text.shown_bytes) else ()


def compile_rules(rules: Iterable[Rule], version: int, most: int = 1) -> RuleSet:
    """Compile rules into a set. Raises BadPattern for a pattern that RE2 does not take."""
    ranked = tuple(sorted(rules, key=lambda rule: place(rule.priority, rule.trigger, rule.id)))
    scopes: dict[str | None, list[tuple[int, AnyTrigger]]] = {}
    for rank, rule in enumerate(ranked):
        scopes.setdefault(rule.appid, []).append((rank, rule.trigger))
    return RuleSet(
        version,
        ranked,
        most,
        {appid: Scope.of(triggers) for appid, triggers in scopes.items()},
        {rule.id: pattern for rule, pattern in _capturing(ranked)},
    )


def _later(scopes: list[Scope], message: Inbound) -> Iterable[Later]:
    if len(scopes) == 1:
        return scopes[0].later(message)
    return sorted((later for scope in scopes for later in scope.later(message)), key=lowest)


def _capturing(rules: Iterable[Rule]) -> Iterator[tuple[Rule, Pattern]]:
    for rule in rules:
        trigger = rule.trigger
        if not isinstance(trigger, TextTrigger) or trigger.match is not Match.REGEX:
            continue
        if captures_named_in(rule.replies):
            yield (
                rule,
                compile_pattern(trigger.words()[0], case_sensitive=trigger.raw, capture=True),
            )
