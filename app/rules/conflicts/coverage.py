"""Finds a better rule that matches everything a rule matches, by their triggers alone. Pure.

Keywords are not compared here: `detect` finds those with the index that serves messages.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from app.rules.conflicts.implication import catches_all
from app.rules.definition.rule import Rule
from app.rules.definition.triggers import (
    AnyTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
    keys_of,
)
from app.rules.matching.geo import CircleIndex, are_near, centre_of

_Matched = tuple[object, ...]
"""What a trigger matches, as a key by which it can be looked up."""


class Coverage:
    """The rules that match more than one key or text, added best first."""

    def __init__(self) -> None:
        self._ranks: dict[tuple[str | None, _Matched], int] = {}
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._circles: defaultdict[str | None, CircleIndex] = defaultdict(CircleIndex)

    def add(self, rank: int, rule: Rule) -> None:
        """Add a rule without conditions; one whose trigger matches a single key covers no other."""
        if isinstance(rule.trigger, LocationTrigger):
            self._circles[rule.appid].add(rank, rule.trigger)
            return
        matched = _matched(rule.trigger)
        if matched is None:
            return
        self._ranks.setdefault((rule.appid, matched), rank)
        found = keys_of(rule.trigger)
        if found is not None:
            self._lengths[rule.trigger.on].add(len(found[1] or ""))

    def best(self, rule: Rule) -> int | None:
        """Return the rank of the best added rule that matches all that this one matches, if any."""
        if isinstance(rule.trigger, LocationTrigger):
            found = [*self._around(None, rule.trigger), *self._around(rule.appid, rule.trigger)]
        else:
            keys = product({None, rule.appid}, self._covering(rule.trigger))
            found = [self._ranks[key] for key in keys if key in self._ranks]
        return min(found, default=None)

    def _covering(self, trigger: AnyTrigger) -> Iterator[_Matched]:
        match trigger:
            case TextTrigger():
                yield from product(["text"], {True, trigger.voice})
            case SubscribeMsgTrigger():
                yield from product([trigger.on], {None, trigger.template}, {None, trigger.status})
        key, prefix = keys_of(trigger) or (None, None)
        word = key or prefix or ""
        for length in self._lengths.get(trigger.on, ()):
            if length <= len(word):
                yield trigger.on, word[:length]

    def _around(self, appid: str | None, inner: LocationTrigger) -> Iterator[int]:
        circles = self._circles.get(appid)
        if circles is None:
            return
        for rank, outer in circles.reaching(inner.latitude):
            room = outer.radius_metres - inner.radius_metres
            if room >= 0 and are_near(centre_of(outer), centre_of(inner), room):
                yield rank


def _matched(trigger: AnyTrigger) -> _Matched | None:
    match trigger:
        case TextTrigger():
            return ("text", trigger.voice) if catches_all(trigger) else None
        case SubscribeMsgTrigger():
            return trigger.on, trigger.template, trigger.status
    found = keys_of(trigger)
    if found is None or found[0] is not None:
        return None
    return trigger.on, found[1] or ""
