"""Searches a pattern only in texts that contain its literal, which all its matches contain."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.rules.text.regex import Pattern, compile_pattern
from app.rules.text.regex_literal import literal_of
from app.rules.text.word_index import WordIndex

MAX_PATTERNS_OF_ONE_LITERAL: Final = 16


@dataclass(frozen=True, slots=True)
class Prefilter:
    """Patterns by their literal.

    literals: the numbers of all literals. patterns: for each literal, by its number, the rank and
    the compiled pattern of each rule that has this literal.
    """

    literals: WordIndex
    patterns: tuple[tuple[tuple[int, Pattern], ...], ...]

    @classmethod
    def of(
        cls, patterns: Sequence[tuple[int, str]], *, case_sensitive: bool = False
    ) -> tuple["Prefilter", list[tuple[int, str]]]:
        """Compile the patterns that have a literal; return the others, by rising rank, uncompiled.

        patterns: rank and pattern, by rising rank. Raises BadPattern.
        """
        by_literal: dict[str, list[tuple[int, Pattern]]] = {}
        others: list[tuple[int, str]] = []
        literals = [literal_of(pattern) for _, pattern in patterns]
        shared = Counter(literals)
        for (rank, pattern), literal in zip(patterns, literals, strict=True):
            # Many patterns of one literal are faster as an automaton than one after the other.
            if literal is None or shared[literal] > MAX_PATTERNS_OF_ONE_LITERAL:
                others.append((rank, pattern))
            else:
                compiled = compile_pattern(pattern, case_sensitive=case_sensitive)
                by_literal.setdefault(literal, []).append((rank, compiled))
        numbers = {literal: number for number, literal in enumerate(by_literal)}
        return cls(
            WordIndex.of(numbers), tuple(tuple(found) for found in by_literal.values())
        ), others

    def found_in(self, text: str) -> Iterator[tuple[int, Pattern]]:
        """Yield rank and pattern for each literal in the text; the caller searches the pattern."""
        for number in self.literals.found_in(text.casefold()):
            yield from self.patterns[number]
