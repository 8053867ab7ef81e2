"""Keywords of many rules, compiled so that one text finds the best of them at once."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from ahocorasick_rs import AhoCorasick

from app.rules.patterns import Patterns
from app.rules.triggers import Match, TextTrigger


def fold(text: str) -> str:
    """Return what of a text counts: no outer blanks, no letter case."""
    return text.strip().casefold()


@dataclass(frozen=True, slots=True)
class Keywords:
    """Text triggers by kind of match, each with the rank of its rule; a lower rank wins.

    prefix_lengths: ascending. contained and patterns: in rank order, so that the lowest index
    found is the best one.
    """

    exact: Mapping[str, int]
    prefix: Mapping[str, int]
    prefix_lengths: tuple[int, ...]
    contained: AhoCorasick | None
    contained_ranks: tuple[int, ...]
    patterns: Patterns
    pattern_ranks: tuple[int, ...]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, TextTrigger]]) -> Self:
        """Compile triggers. triggers: rank and trigger, by rising rank. Raises BadPattern."""
        by_kind: dict[Match, dict[str, int]] = {kind: {} for kind in Match}
        for rank, trigger in triggers:
            is_pattern = trigger.match is Match.REGEX
            keyword = trigger.keyword if is_pattern else fold(trigger.keyword)
            by_kind[trigger.match].setdefault(keyword, rank)
        contained, patterns = by_kind[Match.CONTAINS], by_kind[Match.REGEX]
        return cls(
            exact=by_kind[Match.EXACT],
            prefix=by_kind[Match.PREFIX],
            prefix_lengths=tuple(sorted({len(prefix) for prefix in by_kind[Match.PREFIX]})),
            contained=AhoCorasick(contained, store_patterns=False) if contained else None,
            contained_ranks=tuple(contained.values()),
            patterns=Patterns.of(tuple(patterns)),
            pattern_ranks=tuple(patterns.values()),
        )

    def best(self, text: str, below: int) -> int:
        """Return the lowest rank whose keyword fits `text`, or `below` if none is lower.

        text: as typed.
        """
        folded = fold(text)
        best = min(below, self.exact.get(folded, below))
        for length in self.prefix_lengths:
            if length > len(folded):
                break
            best = min(best, self.prefix.get(folded[:length], below))
        if self.contained is not None:
            found = self.contained.find_matches_as_indexes(folded, overlapping=True)
            if found:
                best = min(best, self.contained_ranks[min(found)[0]])
        return self._best_pattern(text.strip(), best)

    def _best_pattern(self, text: str, below: int) -> int:
        found = self.patterns.first(text, bisect_left(self.pattern_ranks, below))
        return below if found is None else self.pattern_ranks[found]
