"""Patterns that hold a literal: looked at only where the literal is found."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.rules.text.regex import Pattern, compile_pattern
from app.rules.text.regex_literal import literal_of
from app.rules.text.word_index import WordsWithin

MAX_PATTERNS_OF_ONE_LITERAL: Final = 16


@dataclass(frozen=True, slots=True)
class Prefilter:
    """Literals by number. patterns: of each literal, with the ranks of their rules."""

    literals: WordsWithin
    patterns: tuple[tuple[tuple[int, Pattern], ...], ...]

    @classmethod
    def of(
        cls, patterns: Sequence[tuple[int, str]], *, case_sensitive: bool = False
    ) -> tuple["Prefilter", list[tuple[int, str]]]:
        """Compile patterns by rank; return those without a literal apart. Raises BadPattern."""
        by_literal: dict[str, list[tuple[int, Pattern]]] = {}
        others: list[tuple[int, str]] = []
        literals = [literal_of(pattern) for _, pattern in patterns]
        shared = Counter(literals)
        for (rank, pattern), literal in zip(patterns, literals, strict=True):
            # One by one, the patterns of a common word take longer than all of them together.
            if literal is None or shared[literal] > MAX_PATTERNS_OF_ONE_LITERAL:
                others.append((rank, pattern))
            else:
                compiled = compile_pattern(pattern, case_sensitive=case_sensitive)
                by_literal.setdefault(literal, []).append((rank, compiled))
        numbers = {literal: number for number, literal in enumerate(by_literal)}
        return cls(
            WordsWithin.of(numbers), tuple(tuple(found) for found in by_literal.values())
        ), others

    def found_in(self, text: str) -> Iterator[tuple[int, Pattern]]:
        """Yield the patterns whose literal is in the text; whether they fit is yet to be seen."""
        for number in self.literals.found_in(text.casefold()):
            yield from self.patterns[number]
