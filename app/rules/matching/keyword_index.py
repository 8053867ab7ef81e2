"""Keywords of many rules, compiled so that one text finds every rule that it fits at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from app.rules.definition.text_triggers import Match, TextTrigger
from app.rules.matching.rank_map import Ranks
from app.rules.text.word_index import WordIndex


@dataclass(frozen=True, slots=True)
class Keywords:
    """Plain keywords by kind of match, each with the ranks of its rules.

    *_lengths: ascending. contained: by number, the ranks that one of the words decides alone.
    all_of: by the keyword that is looked for first, the rank and all the keywords it takes.
    """

    exact: Ranks[str]
    prefix: Ranks[str]
    prefix_lengths: tuple[int, ...]
    suffix: Ranks[str]
    suffix_lengths: tuple[int, ...]
    words: WordIndex
    contained: Ranks[int]
    all_of: Mapping[int, tuple[tuple[int, frozenset[int]], ...]]

    @classmethod
    def of(cls, triggers: Iterable[tuple[int, TextTrigger]]) -> Self:
        """Compile triggers that are neither patterns nor negated, each with its rank."""
        whole = {kind: Ranks[str]() for kind in (Match.EXACT, Match.PREFIX, Match.SUFFIX)}
        numbers: dict[str, int] = {}
        contained = Ranks[int]()
        all_of: defaultdict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        for rank, trigger in triggers:
            words = trigger.words()
            if trigger.match in whole:
                whole[trigger.match].add(words[0], rank)
                continue
            own = [numbers.setdefault(word, len(numbers)) for word in words]
            if trigger.match is Match.ALL:
                rarest = own[max(range(len(words)), key=lambda n: len(words[n]))]
                all_of[rarest].append((rank, frozenset(own)))
            else:
                for number in own:
                    contained.add(number, rank)
        return cls(
            exact=whole[Match.EXACT],
            prefix=whole[Match.PREFIX],
            prefix_lengths=_lengths(whole[Match.PREFIX]),
            suffix=whole[Match.SUFFIX],
            suffix_lengths=_lengths(whole[Match.SUFFIX]),
            words=WordIndex.of(numbers),
            contained=contained,
            all_of={number: tuple(rules) for number, rules in all_of.items()},
        )

    @property
    def is_empty(self) -> bool:
        """Whether no text fits."""
        return not (self.words.numbers or self.exact or self.prefix or self.suffix)

    def whole(self, text: str) -> Iterator[int]:
        """Yield the ranks whose keyword is all of the text, its beginning or its end."""
        yield from self.exact.of(text)
        for length in self.prefix_lengths:
            if length > len(text):
                break
            yield from self.prefix.of(text[:length])
        for length in self.suffix_lengths:
            if length > len(text):
                break
            yield from self.suffix.of(text[-length:])

    def within(self, text: str) -> Iterator[int]:
        """Yield the ranks whose keywords are somewhere in the text."""
        found = self.words.found_in(text)
        for number in found:
            yield from self.contained.of(number)
        if self.all_of:
            for number in found:
                for rank, wanted in self.all_of.get(number, ()):
                    if wanted <= found:
                        yield rank


def _lengths(words: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(word) for word in words}))
