"""Which better rule takes all that a rule takes, told by what they wait for. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from app.rules.conflicts.implication import Catch, catch_of, is_caught
from app.rules.definition.rule import Rule
from app.rules.definition.triggers import (
    AnyTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
    keys_of,
)
from app.rules.matching.geo import CircleIndex, are_near, centre_of

_Taken = tuple[object, ...]
"""What a trigger takes, as a key to look it up by."""


class Coverage:
    """Rules that wait for more than one thing, added best first."""

    def __init__(self) -> None:
        self._ranks: dict[tuple[str | None, _Taken], int] = {}
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._circles: defaultdict[str | None, CircleIndex] = defaultdict(CircleIndex)

    def add(self, rank: int, rule: Rule) -> None:
        """Add a rule that always answers; one that waits for a single thing covers nothing."""
        if isinstance(rule.trigger, LocationTrigger):
            self._circles[rule.appid].add(rank, rule.trigger)
            return
        taken = _taken(rule.trigger)
        if taken is None:
            return
        self._ranks.setdefault((rule.appid, taken), rank)
        found = keys_of(rule.trigger)
        if found is not None:
            self._lengths[rule.trigger.on].add(len(found[1] or ""))

    def best(self, rule: Rule) -> int | None:
        """Return the rank of the best rule that takes all that this one takes, if there is any."""
        if isinstance(rule.trigger, LocationTrigger):
            found = [*self._holding(None, rule.trigger), *self._holding(rule.appid, rule.trigger)]
        else:
            wanted = product({None, rule.appid}, self._covering(rule.trigger))
            found = [self._ranks[each] for each in wanted if each in self._ranks]
        return min(found, default=None)

    def _covering(self, trigger: AnyTrigger) -> Iterator[_Taken]:
        match trigger:
            case TextTrigger():
                catches = [catch for catch in Catch if is_caught(trigger, catch)]
                yield from product(["text"], catches, {True, trigger.voice})
            case SubscribeMsgTrigger():
                yield from product([trigger.on], {None, trigger.template}, {None, trigger.status})
        key, prefix = keys_of(trigger) or (None, None)
        word = key or prefix or ""
        for length in self._lengths.get(trigger.on, ()):
            if length <= len(word):
                yield trigger.on, word[:length]

    def _holding(self, appid: str | None, inner: LocationTrigger) -> Iterator[int]:
        circles = self._circles.get(appid)
        if circles is None:
            return
        for rank, outer in circles.reaching(inner.latitude):
            room = outer.radius_metres - inner.radius_metres
            if room >= 0 and are_near(centre_of(outer), centre_of(inner), room):
                yield rank


def _taken(trigger: AnyTrigger) -> _Taken | None:
    match trigger:
        case TextTrigger():
            catch = catch_of(trigger)
            return None if catch is None else ("text", catch, trigger.voice)
        case SubscribeMsgTrigger():
            return trigger.on, trigger.template, trigger.status
    found = keys_of(trigger)
    if found is None or found[0] is not None:
        return None
    return trigger.on, found[1] or ""
