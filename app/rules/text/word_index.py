"""Finds every word of a large set inside a text.

Building an Aho-Corasick automaton of a hundred thousand words blocks all other threads of the
process until it is done. A large set is therefore kept in a table: at each position of the text,
the first two characters say which lengths of words may begin there, and each such length is
looked up. An automaton is built only for a small set, and for words whose first two characters
begin words of more than MAX_LENGTHS lengths, such as runs of one character.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import add
from typing import Final, Self

from ahocorasick_rs import AhoCorasick

FEW_WORDS: Final = 10_000  # building an automaton of so many takes about 20 ms
MAX_LENGTHS: Final = 16
_START: Final = 2


@dataclass(frozen=True, slots=True)
class WordIndex:
    """A compiled set of words, each with a number.

    numbers: by word. lengths: the lengths of the words that begin with two given characters.
    singles: the words of one character. automaton: the words that are not in the table, if any.
    crowded: the number of each word of the automaton, by its position in it.
    """

    numbers: Mapping[str, int]
    lengths: Mapping[str, tuple[int, ...]]
    singles: frozenset[str]
    automaton: AhoCorasick | None
    crowded: tuple[int, ...]

    @classmethod
    def of(cls, numbers: Mapping[str, int], *, few: int = FEW_WORDS) -> Self:
        """Compile words, each with its number. few: the largest set that becomes one automaton."""
        if len(numbers) <= few:
            automaton = AhoCorasick(numbers, store_patterns=False) if numbers else None
            return cls(numbers, {}, frozenset(), automaton, tuple(numbers.values()))
        lengths: dict[str, tuple[int, ...]] = {}
        # Equal tuples are stored once: most words share their lengths with many others.
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for word in numbers:
            start, length = word[:_START], len(word)
            known = lengths.get(start, ())
            if length not in known:
                longer = (*known, length)
                lengths[start] = shared.setdefault(longer, longer)
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
        """Return the numbers of all words that the text contains."""
        found: set[int] = set()
        if self.lengths or self.singles:
            numbers, lengths = self.numbers.get, self.lengths.get
            for start, beginning in enumerate(map(add, text, text[1:])):
                for length in lengths(beginning, ()):
                    number = numbers(text[start : start + length])
                    if number is not None:
                        found.add(number)
            # The table goes by two characters, so words of one character are looked up apart.
            found.update(self.numbers[single] for single in self.singles.intersection(text))
        if self.automaton is not None:
            matches = self.automaton.find_matches_as_indexes(text, overlapping=True)
            found.update(self.crowded[number] for number, _, _ in matches)
        return found
