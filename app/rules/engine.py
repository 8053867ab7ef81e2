"""Which rule answers a message: pure, immutable, and never waiting for anything."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from app.rules.keywords import Keywords
from app.rules.triggers import (
    ClickTrigger,
    FallbackTrigger,
    Match,
    ScanTrigger,
    SubscribeTrigger,
    TextTrigger,
    Trigger,
)
from app.wechat import inbound
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from app.wechat.outbound import Message

_SPECIFICITY = {Match.EXACT: 0, Match.PREFIX: 1, Match.CONTAINS: 2, Match.REGEX: 3}

_Event = tuple[str, str | None]
"""An event's name and its scene or key; None stands for any."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule. appid None: every account."""

    id: int
    name: str
    appid: str | None
    priority: int
    trigger: Trigger
    replies: tuple[Message, ...]

    @property
    def kind(self) -> str:
        """What the rule waits for, in one word: `exact`, `contains`, …, `scan`, `fallback`."""
        return self.trigger.match if isinstance(self.trigger, TextTrigger) else self.trigger.on


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Every enabled rule, best first, as of `version` of the rules table."""

    version: int
    ranked: tuple[Rule, ...]
    _scopes: Mapping[str | None, "_Scope"]

    def choose(self, appid: AppId, message: Inbound) -> Rule | None:
        """Return the rule that answers `message`, or None.

        A fallback comes after every other rule. Apart from that the higher priority wins, then
        what is more specific (exact, prefix, contains, regex; a scene before none), then the
        lower id.
        """
        best = none = len(self.ranked)
        for scope in (self._scopes.get(None), self._scopes.get(appid)):
            if scope is not None:
                best = scope.best(message, best)
        return None if best == none else self.ranked[best]


def compile_rules(rules: Iterable[Rule], version: int) -> RuleSet:
    """Compile rules into a set. Raises BadPattern for a pattern that RE2 does not take."""
    ranked = tuple(sorted(rules, key=_order))
    accounts = {rule.appid for rule in ranked}
    scopes: dict[str | None, list[tuple[int, Trigger]]] = {appid: [] for appid in accounts}
    for rank, rule in enumerate(ranked):
        scopes[rule.appid].append((rank, rule.trigger))
    return RuleSet(
        version, ranked, {appid: _Scope.of(triggers) for appid, triggers in scopes.items()}
    )


def _order(rule: Rule) -> tuple[bool, int, int, int]:
    is_fallback = isinstance(rule.trigger, FallbackTrigger)
    return is_fallback, -rule.priority, _specificity(rule.trigger), rule.id


def _specificity(trigger: Trigger) -> int:
    match trigger:
        case TextTrigger(match=kind):
            return _SPECIFICITY[kind]
        case SubscribeTrigger(scene=None):
            return 1
    return 0


@dataclass(frozen=True, slots=True)
class _Scope:
    """The triggers of one account, or those of every account, by rank."""

    keywords: Keywords
    events: Mapping[_Event, int]
    fallback: int | None

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, Trigger]]) -> Self:
        texts: list[tuple[int, TextTrigger]] = []
        events: dict[_Event, int] = {}
        fallbacks: list[int] = []
        for rank, trigger in triggers:
            if isinstance(trigger, TextTrigger):
                texts.append((rank, trigger))
            elif isinstance(trigger, FallbackTrigger):
                fallbacks.append(rank)
            else:
                for event in _waits_for(trigger):
                    events.setdefault(event, rank)
        return cls(Keywords.of(texts), events, min(fallbacks, default=None))

    def best(self, message: Inbound, below: int) -> int:
        """Return the lowest rank that answers `message`, or `below` if none is lower."""
        if isinstance(message, inbound.BaseEvent):
            found = (self.events.get(event, below) for event in _is(message))
            return min((below, *found))
        if isinstance(message, inbound.Text):
            below = self.keywords.best(message.content, below)
        return below if self.fallback is None else min(below, self.fallback)


def _waits_for(trigger: SubscribeTrigger | ScanTrigger | ClickTrigger) -> Iterator[_Event]:
    match trigger:
        case SubscribeTrigger(scene=scene):
            yield "subscribe", scene
        case ScanTrigger(scene=scene):
            yield "SCAN", scene
            yield "subscribe", scene
        case ClickTrigger(key=key):
            yield "CLICK", key


def _is(event: inbound.BaseEvent) -> Iterator[_Event]:
    match event:
        case inbound.Subscribe(scene=scene):
            yield "subscribe", None
            yield "subscribe", scene
        case inbound.Scan(scene=scene):
            yield "SCAN", scene
        case inbound.Click(event_key=key):
            yield "CLICK", key
