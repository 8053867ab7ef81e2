"""Finds the plain keywords that match a text, in one pass however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.matching.rank_map import RankMap
from app.rules.text.word_index import WordIndex


@dataclass(frozen=True, slots=True)
class KeywordIndex:
    """Plain keywords by kind of match, each with the ranks of its rules.

    exact, prefix, suffix: ranks by keyword. *_lengths: the lengths of these keywords, ascending.
    words: all keywords that may stand anywhere in the text, with a number each. contained: by this
    number, the ranks that one keyword is enough for. all_of: by the number of the longest keyword
    of a rule that needs several, its rank and the numbers of all its keywords.
    """

    exact: RankMap[str]
    prefix: RankMap[str]
    prefix_lengths: tuple[int, ...]
    suffix: RankMap[str]
    suffix_lengths: tuple[int, ...]
    words: WordIndex
    contained: RankMap[int]
    all_of: Mapping[int, tuple[tuple[int, frozenset[int]], ...]]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, TextTrigger]]) -> Self:
        """Compile triggers that are neither patterns nor negated, given as rank and trigger."""
        by_kind = {kind: RankMap[str]() for kind in (Match.EXACT, Match.PREFIX, Match.SUFFIX)}
        numbers: dict[str, int] = {}
        contained = RankMap[int]()
        all_of: defaultdict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        for rank, trigger in triggers:
            words = trigger.words()
            if trigger.match in by_kind:
                by_kind[trigger.match].add(words[0], rank)
                continue
            own = [numbers.setdefault(word, len(numbers)) for word in words]
            if trigger.match is Match.ALL:
                # The longest keyword is probably the rarest, so few texts need a look at the rest.
                longest = own[max(range(len(words)), key=lambda n: len(words[n]))]
                all_of[longest].append((rank, frozenset(own)))
            else:
                for number in own:
                    contained.add(number, rank)
        return cls(
            exact=by_kind[Match.EXACT],
            prefix=by_kind[Match.PREFIX],
            prefix_lengths=_lengths(by_kind[Match.PREFIX]),
            suffix=by_kind[Match.SUFFIX],
            suffix_lengths=_lengths(by_kind[Match.SUFFIX]),
            words=WordIndex.of(numbers),
            contained=contained,
            all_of={number: tuple(rules) for number, rules in all_of.items()},
        )

    @property
    def is_empty(self) -> bool:
        """Whether the index has no keyword at all."""
        return not (self.words.numbers or self.exact or self.prefix or self.suffix)

    def anchored(self, text: str) -> Iterator[int]:
        """Yield the ranks whose keyword equals the text, its start or its end."""
        yield from self.exact.of(text)
        for length in self.prefix_lengths:
            if length > len(text):
                break
            yield from self.prefix.of(text[:length])
        for length in self.suffix_lengths:
            if length > len(text):
                break
            yield from self.suffix.of(text[-length:])

    def inside(self, text: str) -> Iterator[int]:
        """Yield the ranks whose keywords are anywhere in the text."""
        found = self.words.found_in(text)
        for number in found:
            yield from self.contained.of(number)
        if self.all_of:
            for number in found:
                for rank, needed in self.all_of.get(number, ()):
                    if needed <= found:
                        yield rank


def _lengths(words: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(word) for word in words}))
