"""Which of two rules goes first: priority, kind, longest keyword, id."""

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import Final

from app.rules.definition.rule import Rule
from app.rules.definition.text_triggers import Match
from app.rules.definition.triggers import (
    AnyTrigger,
    EventTrigger,
    FallbackTrigger,
    LocationTrigger,
    MsgMenuTrigger,
    SubscribeMsgTrigger,
    SubscribeTrigger,
    TextTrigger,
    ViewMiniProgramTrigger,
    ViewTrigger,
    keys_of,
)

_EXACT, _PREFIX, _ANY_KEY, _ANY_EVENT = 0, 1, 2, 3
_TEXT = {kind: number for number, kind in enumerate(Match, 1)}
_NEGATED = len(_TEXT) + 1

_SORTED_AT_ONCE: Final = 5000
_by_id = attrgetter("id")

Kind = tuple[bool, int, int, float]
Place = tuple[bool, int, int, float, int]


def place(priority: int, trigger: AnyTrigger, rule_id: int) -> Place:
    """Return what rules are sorted by, best first.

    A fallback comes after every other rule. Then the higher priority wins, then what is more
    specific, then the longer keyword (of several the longest one counts; of a circle the smaller
    radius), then the lower id.
    """
    return (*_kind(priority, trigger), rule_id)


def place_of(rule: Rule) -> Place:
    """Return the place of a rule."""
    return place(rule.priority, rule.trigger, rule.id)


def ranked(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield rules by their places.

    Most are of few kinds and come by id, so that next to nothing is left to sort: no other thread
    runs while a list of a hundred thousand is sorted.
    """
    kinds: dict[Kind, list[Rule]] = {}
    for rule in rules:
        kinds.setdefault(_kind(rule.priority, rule.trigger), []).append(rule)
    order = list(kinds)
    slices = range(0, len(order), _SORTED_AT_ONCE)
    for kind in merge(*(sorted(order[start : start + _SORTED_AT_ONCE]) for start in slices)):
        yield from sorted(kinds[kind], key=_by_id)


def _kind(priority: int, trigger: AnyTrigger) -> Kind:
    is_fallback = isinstance(trigger, FallbackTrigger)
    return is_fallback, -priority, specificity(trigger), -length(trigger)


def specificity(trigger: AnyTrigger) -> int:
    """Return how specific a kind of trigger is; 0 is the most specific.

    Of texts: a tapped menu item, exact, prefix, suffix, all, contains, any, regex, and what is
    negated last. Of events: this key, a prefix of it, any key, the event's name alone.
    """
    match trigger:
        case TextTrigger(negated=True):
            return _NEGATED
        case TextTrigger(match=kind):
            return _TEXT[kind]
        case EventTrigger():
            return _ANY_EVENT
        case SubscribeMsgTrigger():
            return (trigger.template is None) + (trigger.status is None)
    key, prefix = keys_of(trigger) or (None, None)
    if isinstance(trigger, SubscribeTrigger | ViewTrigger | ViewMiniProgramTrigger) and not (
        key or prefix
    ):
        return _ANY_KEY
    return _PREFIX if prefix else _EXACT


def length(trigger: AnyTrigger) -> float:
    """Return how long the keyword is, in characters as written; a pattern has no length."""
    match trigger:
        case TextTrigger(match=Match.REGEX):
            return 0
        case TextTrigger(keyword=str(keyword)):
            return len(keyword)
        case TextTrigger(keywords=keywords):
            return max(len(keyword) for keyword in keywords or ("",))
        case LocationTrigger(radius_metres=radius):
            return -radius
        case MsgMenuTrigger(id=tapped):
            return len(tapped)
    key, prefix = keys_of(trigger) or (None, None)
    return len(prefix or key or "")
