"""Finds every word of a large set inside of a text, and takes no pause to compile.

An Aho-Corasick automaton of a hundred thousand words is built in one piece, and no other thread
of the process runs meanwhile. So words are looked up in a table: where a text has the first two
characters of some words, their lengths are tried. Only words that share their beginning with
words of many other lengths, such as runs of one character, make up an automaton, and so does a
set that is small as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import add
from typing import Final, Self

from ahocorasick_rs import AhoCorasick

FEW_WORDS: Final = 10_000  # an automaton of so many takes some 20 ms
MAX_LENGTHS: Final = 16
_START: Final = 2


@dataclass(frozen=True, slots=True)
class WordsWithin:
    """Words by number. lengths: of the words with a certain beginning. singles: of one character.

    crowded: the numbers of the words in the automaton, by theirs in it.
    """

    numbers: Mapping[str, int]
    lengths: Mapping[str, tuple[int, ...]]
    singles: frozenset[str]
    automaton: AhoCorasick | None
    crowded: tuple[int, ...]

    @classmethod
    def of(cls, numbers: Mapping[str, int], *, few: int = FEW_WORDS) -> Self:
        """Compile words, each with its number. few: up to how many make up an automaton."""
        if len(numbers) <= few:
            automaton = AhoCorasick(numbers, store_patterns=False) if numbers else None
            return cls(numbers, {}, frozenset(), automaton, tuple(numbers.values()))
        lengths: dict[str, tuple[int, ...]] = {}
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for word in numbers:
            start, length = word[:_START], len(word)
            known = lengths.get(start, ())
            if length not in known:
                both = (*known, length)
                lengths[start] = shared.setdefault(both, both)
        crowds = {start for start, found in lengths.items() if len(found) > MAX_LENGTHS}
        crowded = [word for word in numbers if word[:_START] in crowds] if crowds else []
        for start in crowds:
            del lengths[start]
        return cls(
            numbers,
            lengths,
            frozenset(word for word in numbers if len(word) < _START),
            AhoCorasick(crowded, store_patterns=False) if crowded else None,
            tuple(numbers[word] for word in crowded),
        )

    def found_in(self, text: str) -> set[int]:
        """Return the numbers of all words that are somewhere in the text."""
        found: set[int] = set()
        if self.lengths or self.singles:
            numbers, lengths = self.numbers.get, self.lengths.get
            for start, beginning in enumerate(map(add, text, text[1:])):
                for length in lengths(beginning, ()):
                    number = numbers(text[start : start + length])
                    if number is not None:
                        found.add(number)
            # Words of one character; two characters never begin them.
            found.update(self.numbers[single] for single in self.singles.intersection(text))
        if self.automaton is not None:
            matches = self.automaton.find_matches_as_indexes(text, overlapping=True)
            found.update(self.crowded[number] for number, _, _ in matches)
        return found
