"""The order of rules: priority, then kind of trigger, then length of the keyword, then id."""

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
from app.wechat.visible_text import visible

_EXACT, _PREFIX, _ANY_KEY, _ANY_EVENT = 0, 1, 2, 3
_TEXT = {kind: number for number, kind in enumerate(Match, 1)}
_NEGATED = len(_TEXT) + 1

_SORTED_AT_ONCE: Final = 5000
_by_id = attrgetter("id")

Kind = tuple[bool, int, int, float]
"""All of the sort key but the id."""

SortKey = tuple[bool, int, int, float, int]


def sort_key(rule: Rule) -> SortKey:
    """Return the key that sorts rules, best first.

    A fallback comes after every other rule. Otherwise the higher priority wins, then the more
    specific kind of trigger, then the longer keyword (the longest of several; for a circle the
    smaller radius), then the lower id.
    """
    return (*_kind(rule), rule.id)


def ranked(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield rules in the order of `sort_key`, without blocking other threads for long.

    No other thread runs while a list is sorted, and sorting a hundred thousand rules takes long.
    So rules are grouped by everything but the id first. Most rules fall into few groups and come
    in the order of their ids, so that almost nothing is left to sort.
    """
    kinds: dict[Kind, list[Rule]] = {}
    for rule in rules:
        kinds.setdefault(_kind(rule), []).append(rule)
    order = list(kinds)
    slices = range(0, len(order), _SORTED_AT_ONCE)
    for kind in merge(*(sorted(order[start : start + _SORTED_AT_ONCE]) for start in slices)):
        yield from sorted(kinds[kind], key=_by_id)


def _kind(rule: Rule) -> Kind:
    is_fallback, kind, size = place_of(rule.trigger)
    return is_fallback, -rule.priority, kind, size


def place_of(trigger: AnyTrigger) -> tuple[bool, int, float]:
    """Return what of the sort key follows from the trigger: all but priority and id."""
    return isinstance(trigger, FallbackTrigger), specificity(trigger), -length(trigger)


def specificity(trigger: AnyTrigger) -> int:
    """Return how specific a kind of trigger is; 0 is the most specific.

    The order for texts: a tapped menu item, exact, prefix, suffix, all, contains, any, regex, and
    negated triggers last. The order for events: one key, a prefix of the key, any key, the name of
    the event alone.
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
    """Return the length of the keyword as it is seen, in characters; 0 for a pattern.

    For a circle it is the negative radius, so that the smaller circle comes first.
    """
    match trigger:
        case TextTrigger(match=Match.REGEX):
            return 0
        case TextTrigger(keyword=str(keyword)):
            return len(visible(keyword))
        case TextTrigger(keywords=keywords):
            return max(len(visible(keyword)) for keyword in keywords or ("",))
        case LocationTrigger(radius_metres=radius):
            return -radius
        case MsgMenuTrigger(id=tapped):
            return len(tapped)
    key, prefix = keys_of(trigger) or (None, None)
    return len(prefix or key or "")
